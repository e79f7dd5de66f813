/* The decision log, live: the newest first. */

import { ask, connection, pause } from './connection.js';
import { $, make } from './elements.js';
import { rowOf } from './entry.js';
import { explain } from './explain.js';
import { filterWords } from './filters.js';
import { firstMail } from './first_mail.js';
import { listen, mark } from './listbox.js';
import { text } from './words.js';

const ENTRIES_MAX = 1000;

const log = { place: null, serial: 0, isPaused: false, held: [], chosen: null, abort: null };

function choose(row) {
  log.chosen = row;
  mark($('entries'), row);
}

/* What is chosen stays: others go in its place. */
function dropOldest(host) {
  while (host.childElementCount > ENTRIES_MAX) {
    const last = host.lastElementChild;
    (last === log.chosen ? last.previousElementSibling : last).remove();
  }
}

function addEntries(entries, isFresh) {
  const host = $('entries');
  const isAtTop = host.scrollTop < 4;
  if (host.querySelector('.empty') !== null && entries.length > 0) host.replaceChildren();
  const rows = entries.map(rowOf).reverse();
  if (isFresh) rows.forEach((row) => row.classList.add('fresh'));
  const before = host.scrollHeight;
  host.prepend(...rows);
  if (!isAtTop) host.scrollTop += host.scrollHeight - before;
  dropOldest(host);
}

function addGap(words) {
  const gap = make('div.entry.gap', words);
  $('entries').prepend(gap);
}

function showLogState(words) {
  const held = log.isPaused && log.held.length > 0 ? `${log.held.length} new, held` : '';
  $('log-state').textContent = words !== undefined ? words : log.isPaused ? held || 'paused' : 'live';
}

function emptyLog() {
  if (filterWords().length > 0)
    return make('p.empty', 'No decision matches these filters.');
  return make('p.empty', null, 'No decision yet. Send a mail with ', make('code', firstMail()), '.');
}

/* What sends a first mail is known better now. */
export function retellEmptyLog() {
  if (log.place !== null && $('entries').querySelector('.empty') !== null) $('entries').replaceChildren(emptyLog());
}

function take(answer, isFirst) {
  if (isFirst) {
    $('entries').replaceChildren();
    choose(null);
    if (answer.lines.length === 0) $('entries').replaceChildren(emptyLog());
  }
  if (answer.gap && !isFirst) addGap('the log was rotated: lines between were passed over');
  if (log.isPaused && !isFirst) log.held = log.held.concat(answer.lines).slice(-ENTRIES_MAX);
  else addEntries(answer.lines, !isFirst);
  log.place = answer.place;
  showLogState();
}

/* Reads on until the filters change. */
export async function watchLog() {
  const serial = ++log.serial;
  log.abort?.abort();
  log.place = null;
  log.held = [];
  let isFirst = true;
  showLogState('searching…');
  while (serial === log.serial) {
    const query = new URLSearchParams(filterWords().map((word) => ['filter', word]));
    if (log.place !== null) query.set('after', log.place);
    log.abort = new AbortController();
    try {
      const begun = Date.now();
      const signal = AbortSignal.any ? AbortSignal.any([log.abort.signal, AbortSignal.timeout(40000)]) : log.abort.signal;
      const answer = await (await ask(`/api/log?${query}`, { signal })).json();
      if (serial !== log.serial) return;
      $('filter-fault').hidden = true;
      take(answer, isFirst);
      isFirst = false;
      if (!answer.more && answer.lines.length === 0 && Date.now() - begun < 1000) await pause(1000);
      else if (!answer.more) await pause(150);
    } catch (error) {
      if (serial !== log.serial) return;
      if (error.status === 400) {
        $('filter-fault').textContent = error.message;
        $('filter-fault').hidden = false;
        return;
      }
      if (error.status === 404) {
        $('entries').replaceChildren(make('p.empty', error.message));
        showLogState('');
        return;
      }
      showLogState(error.status ? error.message : 'the server does not answer');
      await pause(Math.min(1000 * 2 ** Math.min(connection.tries, 3), 5000));
    }
  }
}

function onPause() {
  log.isPaused = !log.isPaused;
  $('pause').setAttribute('aria-pressed', String(log.isPaused));
  $('pause').textContent = log.isPaused ? 'Go on' : 'Pause';
  if (!log.isPaused) {
    addEntries(log.held, true);
    log.held = [];
  }
  showLogState();
}

export function beginLog() {
  $('pause').addEventListener('click', onPause);
  listen($('entries'), () => log.chosen, choose,
    (row) => explain(text(row.entry.id) || text(row.entry.session), row.entry));
}
