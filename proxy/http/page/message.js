/* One mail, read. */

import { ask } from './connection.js';
import { $, make } from './elements.js';
import { decode, field, readMail, toBinary } from './mime.js';
import { octets } from './words.js';

const MAIL_OCTETS = 1 << 20;
const SHOWN_FIELDS = ['from', 'to', 'cc', 'reply-to', 'date', 'message-id'];

function disclosure(title, content) {
  return make('details', null, make('summary', title), make('pre', content));
}

function showMessage(one, binary, path) {
  const read = readMail(binary);
  const shown = make('dl.fields');
  for (const name of SHOWN_FIELDS)
    for (const [key, value] of read.fields.filter(([k]) => k.toLowerCase() === name).slice(0, 20))
      shown.append(make('dt', key), make('dd', value));
  const download = make('a', `Download, ${octets(one.octets)}`);
  download.href = path;
  download.setAttribute('download', '');
  const attachments = make('ul.attachments', null, ...read.attachments.map((a) => make('li', `${a.name} — ${a.type}, ${octets(a.octets)}`)));
  const parts = [make('h3', field(read.fields, 'subject') || '(no subject)'), shown];
  if (one.octets > binary.length)
    parts.push(make('p.notice', `Only the first ${octets(binary.length)} of ${octets(one.octets)} are shown.`));
  const body = make('pre.body', read.text.join('\n\n') || (read.html.length > 0 ? 'There is no part in plain text: the source of the HTML is below.' : '(empty)'));
  body.tabIndex = 0;
  parts.push(body);
  if (read.attachments.length > 0) parts.push(make('h2', 'Attachments'), attachments);
  read.html.forEach((source) => parts.push(disclosure('Source of the HTML, not rendered', source)));
  parts.push(disclosure('All header fields', read.fields.map(([k, v]) => `${k}: ${v}`).join('\n')));
  parts.push(disclosure('Raw', decode(binary.slice(0, 65536), 'windows-1252')));
  parts.push(make('p', null, download));
  $('message').replaceChildren(...parts);
  $('message').scrollTop = 0;
}

let opened = 0;

/* `one` is of the list of `box`. Another that was opened since takes its place. */
export async function openMessage(one, box) {
  const serial = ++opened;
  const path = `/api/mail/${encodeURIComponent(one.name)}?${new URLSearchParams({ box })}`;
  let binary;
  try {
    const response = await ask(`${path}&octets=${MAIL_OCTETS}`);
    binary = toBinary(new Uint8Array(await response.arrayBuffer()));
  } catch (error) {
    if (serial === opened)
      $('message').replaceChildren(make('p.fault', error.status ? error.message : 'The server does not answer.'));
    return;
  }
  if (serial !== opened) return;
  showMessage(one, binary, path);
  $('message').focus({ preventScroll: true });
}
