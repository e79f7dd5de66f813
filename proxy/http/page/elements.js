/* Elements of the page, made and filled. Whatever comes from mail or from the
 * log goes in as text, by textContent: there is no innerHTML anywhere. */

export const $ = (id) => document.getElementById(id);

/* An element with classes, text and children. */
export function make(what, text, ...children) {
  const [tag, ...classes] = what.split('.');
  const element = document.createElement(tag);
  if (classes.length > 0) element.className = classes.join(' ');
  if (text !== null && text !== undefined) element.textContent = text;
  element.append(...children);
  return element;
}

export function svg(tag, attributes, text) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes || {}))
    element.setAttribute(name, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

const focusables = (element) => [...element.querySelectorAll('button, [tabindex="0"], a[href]')];

/* Puts new children in unless nothing has changed: what has the focus or is
 * marked by the reader stays as it is. */
export function refill(element, state, build) {
  const key = JSON.stringify(state);
  if (element.dataset.state === key) return;
  const index = focusables(element).indexOf(document.activeElement);
  element.dataset.state = key;
  element.replaceChildren(...build());
  if (index >= 0) {
    const there = focusables(element);
    (there[Math.min(index, there.length - 1)] || element).focus({ preventScroll: true });
  }
}
