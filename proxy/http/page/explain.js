/* One decision explained, as `postern explain` does it. */

import { ask } from './connection.js';
import { $ } from './elements.js';

export async function explain(id, entry) {
  const dialog = $('story');
  $('story-title').textContent = id === '' ? 'This event' : id;
  $('story-text').textContent = 'Looking for it…';
  $('story-line').textContent = entry === null ? '' : JSON.stringify(entry, null, 1);
  $('story-line').parentElement.hidden = entry === null;
  $('story-line').parentElement.open = id === '';
  if (!dialog.open) dialog.showModal();
  dialog.scrollTop = 0;
  if (id === '') {
    $('story-text').textContent = 'It belongs to no session: its line says all there is.';
    return;
  }
  let story;
  try {
    story = await (await ask(`/api/explain/${encodeURIComponent(id)}`)).text();
  } catch (error) {
    story = error.status ? error.message : 'The server does not answer.';
  }
  if ($('story-title').textContent === id) $('story-text').textContent = story;
}

export function beginExplain() {
  $('story-close').addEventListener('click', () => $('story').close());
  $('story').addEventListener('click', (event) => {
    if (event.target === $('story')) $('story').close();
  });
}
