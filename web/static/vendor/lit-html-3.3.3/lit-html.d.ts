export { html, nothing, render } from 'lit-html';
export type { TemplateResult } from 'lit-html';
