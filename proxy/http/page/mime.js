/* RFC 5322 and MIME, made into text. What mail brings may be anything: depth and
 * parts are capped, and each step takes time in proportion to the octets. */

const DEPTH_MAX = 8;
const PARTS_MAX = 200;

const toOctets = (binary) => Uint8Array.from(binary, (c) => c.charCodeAt(0) & 0xff);

export function toBinary(array) {
  let binary = '';
  for (let i = 0; i < array.length; i += 8192)
    binary += String.fromCharCode(...array.subarray(i, i + 8192));
  return binary;
}

/* Octets that call themselves `charset`; what they say may be wrong. */
export function decode(binary, charset) {
  for (const name of [charset || 'utf-8', 'windows-1252']) {
    try {
      const isSure = name === 'windows-1252' || (charset && name === charset && !/^(utf-?8|us-ascii)$/i.test(charset));
      return new TextDecoder(name.toLowerCase() === 'us-ascii' ? 'utf-8' : name, { fatal: !isSure }).decode(toOctets(binary));
    } catch (_) { /* the next */ }
  }
  return binary;
}

function fromBase64(binary) {
  let clean = binary.replace(/[^A-Za-z0-9+/]/g, '');
  if (clean.length % 4 === 1) clean = clean.slice(0, -1);
  return atob(clean);
}

/* An expression with $ would try each of many blanks as the first of the last. */
function trimEnd(line, blanks) {
  let end = line.length;
  while (end > 0 && blanks.includes(line[end - 1])) end--;
  return line.slice(0, end);
}

function fromQuoted(binary) {
  return binary.split('\n').map((line) =>
    (line.endsWith('\r') ? `${trimEnd(line.slice(0, -1), ' \t')}\r` : trimEnd(line, ' \t')))
    .join('\n').replace(/=\r?\n/g, '')
    .replace(/=([0-9A-Fa-f]{2})/g, (_, hex) => String.fromCharCode(parseInt(hex, 16)));
}

/* RFC 2047. Words of one charset that follow each other are one text, as a
 * character may be split between them. */
export function decodeWords(value) {
  const word = /=\?([^?\s*]{1,40})(?:\*[^?\s]{0,20})?\?([bq])\?([^?\s]*)\?=/gi;
  const parts = [];
  let end = 0;
  for (const found of value.matchAll(word)) {
    const between = value.slice(end, found.index);
    const last = parts[parts.length - 1];
    const coded = found[2].toLowerCase() === 'b' ? fromBase64(found[3]) : fromQuoted(found[3].replace(/_/g, '=20'));
    const charset = found[1].toLowerCase();
    if (last && last.charset === charset && /^[ \t\r\n]*$/.test(between)) last.binary += coded;
    else {
      if (!(last && last.charset !== null && /^[ \t\r\n]*$/.test(between))) parts.push({ charset: null, binary: between });
      parts.push({ charset, binary: coded });
    }
    end = found.index + found[0].length;
  }
  parts.push({ charset: null, binary: value.slice(end) });
  return parts.map((part) => decode(part.binary, part.charset)).join('');
}

export function readHeader(block) {
  const fields = [];
  for (const line of block.replace(/\r?\n[ \t]/g, (fold) => fold.slice(-1)).split(/\r?\n/)) {
    const colon = line.indexOf(':');
    if (colon > 0) fields.push([line.slice(0, colon).trimEnd(), line.slice(colon + 1).trim()]);
  }
  return fields;
}

export function field(fields, name) {
  const found = fields.find(([key]) => key.toLowerCase() === name);
  return found ? found[1] : '';
}

/* A value and its parameters; RFC 2231 for those that are long or not ASCII. */
export function readParameters(value) {
  const parameters = Object.create(null);
  const pieces = Object.create(null);
  const main = value.split(';', 1)[0].trim().toLowerCase();
  for (const found of value.matchAll(/;\s*([^=\s;*]{1,60})(\*\d{1,3})?(\*)?\s*=\s*("(?:[^"\\]|\\.)*"|[^;\s]*)/g)) {
    const name = found[1].toLowerCase();
    const raw = found[4].startsWith('"') ? found[4].slice(1, -1).replace(/\\(.)/g, '$1') : found[4];
    if (found[2] || found[3]) (pieces[name] ||= []).push({ at: found[2] ? Number(found[2].slice(1)) : 0, isCoded: Boolean(found[3]), raw });
    else parameters[name] = raw;
  }
  for (const [name, parts] of Object.entries(pieces)) {
    parts.sort((a, b) => a.at - b.at);
    let charset = 'utf-8', binary = '';
    parts.forEach((part, i) => {
      let raw = part.raw;
      if (i === 0 && part.isCoded && raw.split("'").length >= 3) {
        charset = raw.split("'", 1)[0] || charset;
        raw = raw.split("'").slice(2).join("'");
      }
      binary += part.isCoded ? raw.replace(/%([0-9A-Fa-f]{2})/g, (_, hex) => String.fromCharCode(parseInt(hex, 16))) : raw;
    });
    parameters[name] = decode(binary, charset);
  }
  return { main, parameters };
}

function splitEntity(binary) {
  const found = /\r?\n\r?\n/.exec(binary);
  if (/^\r?\n/.test(binary)) return ['', binary.replace(/^\r?\n/, '')];
  if (found === null) return [binary, ''];
  return [binary.slice(0, found.index), binary.slice(found.index + found[0].length)];
}

function splitParts(body, boundary) {
  const parts = [];
  let current = null;
  for (const line of body.split(/(?<=\n)/)) {
    const bare = trimEnd(line, ' \t\r\n');
    if (bare === `--${boundary}` || bare === `--${boundary}--`) {
      if (current !== null) parts.push(current.replace(/\r?\n$/, ''));
      current = bare.endsWith('--') && bare.length > boundary.length + 2 ? null : '';
      if (current === null) return parts;
    } else if (current !== null) {
      current += line;
    }
  }
  if (current !== null) parts.push(current);
  return parts;
}

function readPart(binary, mailOut, depth) {
  const [head, body] = splitEntity(binary);
  const fields = readHeader(head);
  const type = readParameters(field(fields, 'content-type') || 'text/plain');
  const how = readParameters(field(fields, 'content-disposition'));
  const coding = field(fields, 'content-transfer-encoding').trim().toLowerCase();
  if (depth === 0) mailOut.fields = fields.map(([name, value]) => [name, decodeWords(value)]);
  if (++mailOut.parts > PARTS_MAX) return;
  if (type.main.startsWith('multipart/') && type.parameters.boundary && depth < DEPTH_MAX) {
    for (const part of splitParts(body, type.parameters.boundary)) readPart(part, mailOut, depth + 1);
    return;
  }
  let content = body;
  if (coding === 'base64') content = fromBase64(body);
  else if (coding === 'quoted-printable') content = fromQuoted(body);
  const name = decodeWords(how.parameters.filename || type.parameters.name || '');
  const isText = type.main === 'text/plain' || type.main === 'text/html';
  if (how.main === 'attachment' || !isText || name !== '')
    mailOut.attachments.push({ name: name || '(no name)', type: type.main, octets: content.length });
  else
    mailOut[type.main === 'text/html' ? 'html' : 'text'].push(decode(content, type.parameters.charset).replace(/\r\n/g, '\n'));
}

/* A message's octets, a character each, as {fields, text, html, attachments}. */
export function readMail(binary) {
  const out = { fields: [], text: [], html: [], attachments: [], parts: 0 };
  readPart(binary, out, 0);
  return out;
}
