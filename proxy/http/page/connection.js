/* Asking the server, and what the page says while it does not answer. */

import { $ } from './elements.js';
import { clock } from './words.js';

const RETRY_MAX_S = 10;

export const connection = { isAway: false, since: null, tries: 0 };

export function showHere() {
  $('state').className = 'lamp here';
  $('state').parentElement.title = 'The server answers';
  document.body.classList.remove('away');
  $('away').hidden = true;
  connection.isAway = false;
  connection.tries = 0;
}

export function showAway(why) {
  if (!connection.isAway) {
    connection.isAway = true;
    connection.since = new Date();
  }
  $('state').className = 'lamp away';
  document.body.classList.add('away');
  $('away').textContent = `The server does not answer since ${clock(connection.since)}` +
    `${why ? ` (${why})` : ''}. What is below is from before; this page tries again by itself.`;
  $('away').hidden = false;
}

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
export const retryMs = () => Math.min(2 ** connection.tries++, RETRY_MAX_S) * 1000;

/* An answer of the server, or an error with its words in it. */
export async function ask(path, options) {
  const response = await fetch(path, { cache: 'no-store', credentials: 'same-origin', ...options });
  if (response.ok) return response;
  let words = `${response.status} ${response.statusText}`;
  const body = await response.text();
  try {
    words = JSON.parse(body).error || words;
  } catch (_) {
    if (body !== '') words = body.trim();
  }
  const error = new Error(words);
  error.status = response.status;
  throw error;
}
