import * as scenarios from './scenarios.js';

Object.assign(window, { scenarios });
