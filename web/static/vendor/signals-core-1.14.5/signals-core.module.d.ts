export { batch, effect, signal } from '@preact/signals-core';
