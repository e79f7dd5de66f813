/* The filters of the decision log, which the address of the page keeps. */

import { $, make } from './elements.js';

let onChange = () => {};

export function filterWords() {
  const words = [];
  for (const field of $('filters').elements) {
    if (!field.name) continue;
    const value = field.type === 'checkbox' ? (field.checked ? field.value : '') : field.value.trim();
    if (value !== '') words.push(`${field.name}=${value}`);
  }
  return words;
}

function applyFilters() {
  for (const field of $('filters').elements)
    if (field.name) field.classList.toggle('set', field.type !== 'checkbox' && field.value.trim() !== '');
  const words = filterWords();
  const query = new URLSearchParams(words.map((word) => [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)]));
  history.replaceState(null, '', words.length > 0 ? `#log?${query}` : location.pathname);
  onChange();
}

function readFilters() {
  const at = location.hash.indexOf('?');
  if (at < 0) return;
  for (const [name, value] of new URLSearchParams(location.hash.slice(at + 1))) {
    const field = $('filters').elements[name];
    if (!field || !field.name) continue;
    if (field.type === 'checkbox') field.checked = true;
    else field.value = value;
  }
}

function setFilter(name, value) {
  $('filters').reset();
  $('filters').elements[name].value = value;
  applyFilters();
  $('log').scrollIntoView({ block: 'nearest' });
  $('entries').focus({ preventScroll: true });
}

/* A button that sets a filter of the log. */
export function filterButton(name, value, label) {
  const button = make('button.name', label === undefined ? value : label);
  button.type = 'button';
  button.title = `Show the decisions with ${name}=${value}`;
  button.addEventListener('click', () => setFilter(name, value));
  return button;
}

/* `changed` is called at once and with each change. */
export function beginFilters(changed) {
  onChange = changed;
  let timer = 0;
  $('filters').addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(applyFilters, 300);
  });
  $('filters').addEventListener('submit', (event) => {
    event.preventDefault();
    clearTimeout(timer);
    applyFilters();
  });
  $('filters').addEventListener('reset', () => setTimeout(applyFilters));
  readFilters();
  applyFilters();
}
