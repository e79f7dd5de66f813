/* The mail of Maildirs: the list. */

import { ask } from './connection.js';
import { $, make, refill } from './elements.js';
import { firstMail, setDoor } from './first_mail.js';
import { listen, mark, optionsOf } from './listbox.js';
import { retellEmptyLog } from './log.js';
import { openMessage } from './message.js';
import { decodeWords, field, readHeader } from './mime.js';
import { clock, list, number } from './words.js';

const MAIL_PAGE = 50;

const mail = { boxes: [], box: null, start: 0, total: 0, accepted: undefined, chosen: null, serial: 0 };

export const mailBoxes = () => mail.boxes;

function messageRow(one, i) {
  const fields = readHeader(one.head);
  const from = decodeWords(field(fields, 'from')) || '(no From)';
  const time = make('time', one.time > 0 ? clock(new Date(one.time * 1000)) : '');
  if (one.time > 0) time.title = new Date(one.time * 1000).toString();
  const row = make('div.message', null, make('span.sender', from), time,
    make('span.subject', decodeWords(field(fields, 'subject')) || '(no subject)'));
  row.setAttribute('role', 'option');
  row.setAttribute('aria-selected', 'false');
  row.id = `message-${i}`;
  row.message = one;
  return row;
}

function emptyMail() {
  return make('p.empty', null, 'No mail yet: send one with ', make('code', firstMail()), '.');
}

function chooseMessage(row) {
  mail.chosen = row;
  mark($('messages'), row);
}

async function refreshMail() {
  const serial = ++mail.serial;
  const query = new URLSearchParams({ start: mail.start, count: MAIL_PAGE });
  if (mail.box !== null) query.set('box', mail.box);
  let answer;
  try {
    answer = await (await ask(`/api/mail?${query}`)).json();
  } catch (error) {
    if (error.status && error.status !== 404) $('mail-state').textContent = error.message;
    return;
  }
  if (serial !== mail.serial) return;
  mail.boxes = list(answer.boxes);
  setDoor(answer.door);
  retellEmptyLog();
  mail.box = answer.box;
  mail.total = answer.total;
  $('mail').hidden = $('mail-link').hidden = false;
  $('box-label').hidden = mail.boxes.length < 2;
  refill($('box'), mail.boxes, () => mail.boxes.map((name) => new Option(name, name)));
  $('box').value = mail.box;
  const last = Math.min(mail.start + MAIL_PAGE, mail.total);
  $('mail-state').textContent = mail.total > 0
    ? `${number(mail.start + 1)}–${number(last)} of ${number(mail.total)}${answer.more ? '+' : ''}` : '';
  $('newer').disabled = mail.start === 0;
  $('older').disabled = last >= mail.total;
  const chosen = mail.chosen?.message.name;
  $('messages').replaceChildren(...(answer.messages.length > 0 ? answer.messages.map(messageRow) : [emptyMail()]));
  const again = optionsOf($('messages')).find((row) => row.message.name === chosen) || null;
  mail.chosen = again;
  mark($('messages'), again);
}

/* There is more to list once another mail was accepted. */
export function refreshMailIf(accepted) {
  if (accepted === mail.accepted || mail.start !== 0) return;
  mail.accepted = accepted;
  refreshMail();
}

function turnPage(by) {
  mail.start = Math.max(0, mail.start + by * MAIL_PAGE);
  mail.chosen = null;
  refreshMail();
}

export function beginMail() {
  listen($('messages'), () => mail.chosen, chooseMessage, (row) => openMessage(row.message, mail.box));
  $('message').addEventListener('keydown', (event) => {
    if (event.key === 'Escape') $('messages').focus();
  });
  $('box').addEventListener('change', () => {
    mail.box = $('box').value;
    mail.start = 0;
    mail.chosen = null;
    refreshMail();
  });
  $('newer').addEventListener('click', () => turnPage(-1));
  $('older').addEventListener('click', () => turnPage(1));
  refreshMail();
}
