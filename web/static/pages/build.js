/** Making and finding elements. Text only ever enters the document as text. */

/**
 * An element with properties, `data-*` and `aria-*` attributes, and children.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, unknown> & {on?: Record<string, (event: Event) => unknown>}} [properties] keys with a dash become attributes,
 *   `on` is `{event: listener}`
 * @param {...(Node | string | null)} children
 */
export function el(tag, { on = {}, ...properties } = {}, ...children) {
  const element = document.createElement(tag);
  for (const [event, listener] of Object.entries(on)) element.addEventListener(event, listener);
  for (const [name, value] of Object.entries(properties)) {
    if (name.includes('-') || name === 'role' || name === 'for') element.setAttribute(name, String(value));
    else Reflect.set(element, name, value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/**
 * The element below `root` that carries `data-slot="name"`; it has to be there, and of this kind.
 * @template {HTMLElement} [T=HTMLElement]
 * @param {ParentNode} root
 * @param {string} name
 * @param {new () => T} [kind]
 */
export function slot(root, name, kind = /** @type {new () => T} */ (HTMLElement)) {
  const element = root.querySelector(`[data-slot="${name}"]`);
  if (!(element instanceof kind)) throw new Error(`no ${kind.name} in slot ${name}`);
  return element;
}

/**
 * Run `actions[name]` when something with `data-action="name"` below `root` is pressed.
 * @param {HTMLElement} root
 * @param {Record<string, (button: HTMLElement, event: Event) => unknown>} actions
 */
export function onAction(root, actions) {
  root.addEventListener('click', (event) => {
    const button = event.target instanceof Element ? event.target.closest('[data-action]') : null;
    if (!(button instanceof HTMLElement) || !root.contains(button)) return;
    const action = actions[button.dataset.action ?? ''];
    if (action) action(button, event);
  });
}

/** Show `text` in `element`, or hide it when there is none. @param {HTMLElement} element @param {string | null} text */
export function say(element, text) {
  element.hidden = !text;
  if (element.textContent !== (text ?? '')) element.textContent = text ?? '';
}

/** Open a modal dialog that also closes on a press beside it. @param {HTMLDialogElement} dialog */
export function openDialog(dialog) {
  if (dialog.open) return;
  dialog.showModal();
  dialog.onclick = (event) => {
    if (event.target === dialog) dialog.close();
  };
}

/**
 * Put `text` on the clipboard; true when it worked.
 * @param {string} text
 */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}
