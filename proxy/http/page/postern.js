'use strict';
/* The dashboard. Reads only. Whatever comes from mail or from the log goes
 * into the page as text, by textContent: there is no innerHTML here. */

const MINUTES = 60;
const OVERVIEW_MS = 2000;
const ENTRIES_MAX = 1000;
const RETRY_MAX_S = 10;
const MAIL_OCTETS = 1 << 20;
const MAIL_PAGE = 50;

const $ = (id) => document.getElementById(id);

/* An element with classes, text and children. */
function make(what, text, ...children) {
  const [tag, ...classes] = what.split('.');
  const element = document.createElement(tag);
  if (classes.length > 0) element.className = classes.join(' ');
  if (text !== null && text !== undefined) element.textContent = text;
  element.append(...children);
  return element;
}

function svg(tag, attributes, text) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes || {}))
    element.setAttribute(name, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

const sum = (list) => list.reduce((a, b) => a + b, 0);
const list = (value) => (Array.isArray(value) ? value : []);
const text = (value) => (typeof value === 'string' ? value : '');
const two = (n) => String(n).padStart(2, '0');
const number = (n) => Number(n || 0).toLocaleString('en-US');
const minutesOf = (value) => {
  const given = list(value).slice(-MINUTES).map((n) => Number(n) || 0);
  return [...new Array(MINUTES - given.length).fill(0), ...given];
};

function clock(date) {
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

function duration(ms) {
  const s = Math.round(ms / 1000);
  if (ms < 1000) return ms > 0 ? `${Math.round(ms)} ms` : '0 s';
  if (s < 120) return `${s} s`;
  if (s < 7200) return `${Math.round(s / 60)} min`;
  if (s < 172800) return `${(s / 3600).toFixed(s < 36000 ? 1 : 0)} h`;
  return `${Math.round(s / 86400)} d`;
}

function octets(n) {
  if (!(n >= 0)) return '';
  const units = ['B', 'K', 'M', 'G', 'T'];
  let unit = 0;
  while (n >= 1024 && unit < units.length - 1) { n /= 1024; unit++; }
  return unit === 0 ? `${n} B` : `${n.toFixed(n < 10 ? 1 : 0)}${units[unit]}`;
}

/* Puts new children in unless nothing has changed: what has the focus or is
 * marked by the reader stays as it is. */
function refill(element, state, build) {
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

const focusables = (element) => [...element.querySelectorAll('button, [tabindex="0"], a[href]')];

/* --- away and back --- */

const connection = { isAway: false, since: null, tries: 0 };

function showHere() {
  $('state').className = 'lamp here';
  $('state').parentElement.title = 'The server answers';
  document.body.classList.remove('away');
  $('away').hidden = true;
  connection.isAway = false;
  connection.tries = 0;
}

function showAway(why) {
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

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const retryMs = () => Math.min(2 ** connection.tries++, RETRY_MAX_S) * 1000;

/* An answer of the server, or an error with its words in it. */
async function ask(path, options) {
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

/* --- plots: stacked columns, a minute each --- */

class Plot {
  /* `series`: [{name, kind, minutes}], drawn from below. `reading` is the
   * element that says what a minute holds. */
  constructor(host, options) {
    this.options = options;
    this.cursor = -1;
    this.svg = svg('svg', { class: 'plot', tabindex: '0', role: 'img' });
    this.svg.addEventListener('mousemove', (event) => this.point(event));
    this.svg.addEventListener('mouseleave', () => this.read(document.activeElement === this.svg ? this.cursor : -1));
    this.svg.addEventListener('focus', () => this.read(this.cursor < 0 ? MINUTES - 1 : this.cursor));
    this.svg.addEventListener('blur', () => this.read(-1));
    this.svg.addEventListener('keydown', (event) => this.key(event));
    host.append(this.svg);
    if (!options.isMini) new ResizeObserver(() => this.draw()).observe(host);
    this.host = host;
  }

  set(series, end, label) {
    /* A minute that is being read stays so when the next begins. */
    if (this.end && this.cursor >= 0)
      this.cursor = Math.max(0, this.cursor - (Math.floor(end / 60000) - Math.floor(this.end / 60000)));
    this.series = series;
    this.end = end;
    this.svg.setAttribute('aria-label', label);
    this.draw();
  }

  key(event) {
    const steps = { ArrowLeft: -1, ArrowRight: 1, Home: -MINUTES, End: MINUTES };
    if (!(event.key in steps)) return;
    event.preventDefault();
    const from = this.cursor < 0 ? MINUTES - 1 : this.cursor;
    this.read(Math.max(0, Math.min(MINUTES - 1, from + steps[event.key])));
  }

  point(event) {
    const box = this.svg.getBoundingClientRect();
    const x = (event.clientX - box.left) * (this.width / box.width) - this.left;
    const minute = Math.floor(x / this.step);
    this.read(minute >= 0 && minute < MINUTES ? minute : -1);
  }

  timeOf(minute) {
    return new Date(this.end.getTime() - (MINUTES - 1 - minute) * 60000);
  }

  words(minute) {
    const time = this.timeOf(minute);
    const parts = this.series.map((s) => `${number(s.minutes[minute])} ${s.name}`);
    return `${two(time.getHours())}:${two(time.getMinutes())}  ${parts.join(' · ')}`;
  }

  read(minute) {
    this.cursor = minute;
    this.options.reading.textContent = minute < 0 ? this.options.rest() : this.words(minute);
    this.mark.setAttribute('visibility', minute < 0 ? 'hidden' : 'visible');
    if (minute >= 0) this.mark.setAttribute('x', this.left + minute * this.step);
  }

  draw() {
    if (!this.series) return;
    const isMini = this.options.isMini;
    this.width = isMini ? 190 : Math.max(240, this.host.clientWidth);
    const height = isMini ? 22 : 152;
    this.left = isMini ? 0 : 34;
    const top = isMini ? 1 : 6, bottom = isMini ? 21 : 132;
    this.step = (this.width - this.left) / MINUTES;
    const totals = Array.from({ length: MINUTES }, (_, i) => sum(this.series.map((s) => s.minutes[i])));
    const most = this.options.most ? this.options.most() : Math.max(...totals);
    const [max, tick] = isMini ? [Math.max(1, most), 0] : scale(most);
    const y = (n) => bottom - (n / max) * (bottom - top);
    const parts = [];
    for (let n = 0; tick > 0 && n <= max; n += tick) {
      parts.push(svg('line', { class: n === 0 ? 'axis' : 'grid', x1: this.left, x2: this.width, y1: Math.round(y(n)) + .5, y2: Math.round(y(n)) + .5 }));
      parts.push(svg('text', { x: this.left - 6, y: y(n) + 4, 'text-anchor': 'end' }, number(n)));
    }
    for (let i = 0; i < MINUTES && !isMini; i++) {
      const time = this.timeOf(i);
      if (time.getMinutes() % 10 === 0)
        parts.push(svg('text', { x: this.left + (i + .5) * this.step, y: bottom + 16, 'text-anchor': 'middle' }, `${two(time.getHours())}:${two(time.getMinutes())}`));
    }
    if (isMini) parts.push(svg('line', { class: 'axis', x1: 0, x2: this.width, y1: 21.5, y2: 21.5 }));
    this.mark = svg('rect', { class: 'cursor', y: top, width: this.step, height: bottom - top, visibility: 'hidden' });
    parts.push(this.mark);
    const gap = this.step > 5 ? 1 : .4;
    for (let i = 0; i < MINUTES; i++) {
      let base = 0;
      for (const one of this.series) {
        const n = one.minutes[i];
        if (n <= 0) continue;
        const high = Math.max(y(base) - y(base + n), 1);
        parts.push(svg('rect', { class: one.kind, x: (this.left + i * this.step + gap / 2).toFixed(2), y: (y(base) - high).toFixed(2), width: (this.step - gap).toFixed(2), height: high.toFixed(2) }));
        base += n;
      }
    }
    this.svg.setAttribute('viewBox', `0 0 ${this.width} ${height}`);
    this.svg.setAttribute('height', height);
    if (isMini) this.svg.setAttribute('preserveAspectRatio', 'none');
    this.svg.replaceChildren(...parts);
    this.read(this.cursor);
  }
}

/* A round top of an axis and the distance of its lines. */
function scale(most) {
  if (most <= 4) return [4, 1];
  const rough = most / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const tick = [1, 2, 2.5, 5, 10].map((m) => m * power).find((t) => t >= rough && Number.isInteger(t));
  return [Math.ceil(most / tick) * tick, tick];
}

/* --- the overview --- */

const KINDS = [['accept', 'accepted'], ['defer', 'deferred'], ['reject', 'refused']];
let overview = null;

const hourPlot = new Plot($('hour-plot'), {
  reading: $('hour-reading'),
  rest: () => (overview ? hourWords() : ''),
});

function hourWords() {
  return KINDS.map(([kind, name]) => `${number(sum(minutesOf(overview.minutes?.[kind])))} ${name}`).join(' · ');
}

function figure(name, value, isBad) {
  return make('div', null, make('dt', name), make(isBad ? 'dd.bad' : 'dd', value));
}

function showFigures(o) {
  const sessions = o.sessions || {}, transactions = o.transactions || {}, log = o.log || {};
  const lag = o.loop_lag_ms || {};
  $('hostname').textContent = text(o.hostname) || 'Postern';
  document.title = `${text(o.hostname)} · Postern`;
  const figures = [
    figure('Sessions', `${number(sessions.open)} of ${number(sessions.max)}`, sessions.open > .8 * sessions.max),
    figure('Accepted', number(transactions.accept)),
    figure('Deferred', number(transactions.defer)),
    figure('Refused', number(transactions.reject)),
    figure('Loop lag', `${Number(lag.last || 0).toFixed(1)} ms`, lag.last > 100),
    figure('Memory', octets(o.memory_bytes)),
    figure('Up', duration((o.uptime_s || 0) * 1000)),
  ];
  if (log.lost > 0) figures.push(figure('Log lines lost', number(log.lost), true));
  if (o.store && o.store.kind !== 'memory') figures.push(figure('Budgets', text(o.store.kind)));
  const policy = figure('Policy', text(o.policy).replace('sha256:', '').slice(0, 8));
  policy.title = `${text(o.policy)}, postern ${text(o.version)}`;
  figures.push(policy);
  $('figures').replaceChildren(...figures);
}

function showHour(o, end) {
  const series = KINDS.map(([kind, name]) => ({ kind, name, minutes: minutesOf(o.minutes?.[kind]) }));
  hourPlot.set(series, end, `Transactions by minute: ${hourWords()}. Arrow keys read single minutes.`);
  refill($('hour-table'), [series.map((s) => s.minutes), end.getMinutes()], () => {
    const head = make('tr', null, make('th', 'Minute'), ...KINDS.map(([, name]) => make('th', name)));
    const rows = [];
    for (let i = MINUTES - 1; i >= 0; i--) {
      const time = hourPlot.timeOf(i);
      rows.push(make('tr', null, make('th', `${two(time.getHours())}:${two(time.getMinutes())}`),
        ...series.map((s) => make('td', number(s.minutes[i])))));
    }
    return [make('table', null, make('thead', null, head), make('tbody', null, ...rows))];
  });
}

const REFUSALS = new Set(['reject', 'defer', 'close']);
const DID = { reject: 'refused', defer: 'deferred', close: 'closed' };

/* A button that sets a filter of the log. */
function filterButton(name, value, label) {
  const button = make('button.name', label === undefined ? value : label);
  button.type = 'button';
  button.title = `Show the decisions with ${name}=${value}`;
  button.addEventListener('click', () => setFilter(name, value));
  return button;
}

function showRules(o, end) {
  const rules = list(o.rules).filter((r) => REFUSALS.has(r.did)).sort((a, b) => b.hour - a.hour || b.total - a.total).slice(0, 12);
  refill($('rules-list'), [rules, end.getMinutes()], () => {
    if (rules.length === 0)
      return [make('p.empty', 'No rule has refused or deferred anything yet.')];
    const most = Math.max(1, ...rules.flatMap((r) => minutesOf(r.minutes)));
    const head = make('div.rule.head', null, make('span', 'Rule'), make('span.count', 'hour'), make('span.mini', 'by minute'), make('span.total', 'in all'));
    return [head, ...rules.map((rule) => {
      const mini = make('div.mini');
      const row = make('div.rule', null,
        make('div', null, filterButton('rule', text(rule.rule)), make('div.did.' + rule.did, `${DID[rule.did]} at ${text(rule.stage)}`)),
        make('span.count', number(rule.hour)), mini, make('span.total', number(rule.total)));
      const plot = new Plot(mini, { isMini: true, reading: $('rules-reading'), rest: () => '', most: () => most });
      plot.set([{ kind: rule.did === 'defer' ? 'defer' : 'reject', name: DID[rule.did], minutes: minutesOf(rule.minutes) }], end,
        `${text(rule.rule)}: ${number(rule.hour)} in the last hour. Arrow keys read single minutes.`);
      return row;
    })];
  });
}

const ratio = (budget) => (budget.max > 0 ? (Number(budget.used || 0) + Number(budget.held || 0)) / budget.max : 0);
const nearness = (r) => (r >= .995 ? 'full' : r >= .8 ? 'near' : 'fine');

function budgetOf(budget) {
  const level = nearness(ratio(budget));
  const bar = make('div.bar.' + level);
  for (const [part, amount] of [['used', budget.used], ['held', budget.held]]) {
    const piece = make('span.' + part);
    piece.style.width = `${budget.max > 0 ? Math.min(100, (100 * (amount || 0)) / budget.max) : 0}%`;
    bar.append(piece);
  }
  const words = `${number(budget.used)} used, ${number(budget.held)} held, ${number(budget.left)} left of ${number(budget.max)}`;
  const soon = budget.empty_in_ms > 0 ? `; all of it is free again in ${duration(budget.empty_in_ms)}` : '';
  bar.setAttribute('role', 'img');
  bar.setAttribute('aria-label', words);
  const row = make('div.budget', null, make('span.which', text(budget.rule)), bar,
    make('span.rest.' + level, level === 'full' ? 'used up' : `${number(budget.left)} left`),
    make('span.max', `of ${number(budget.max)}`));
  row.title = `${text(budget.rule)}, ${text(budget.limit)} ${text(budget.unit).replaceAll('_', ' ')}: ${words}${soon}`;
  return row;
}

function showUsers(o) {
  const fullness = (u) => Math.max(0, ...list(u.budgets).map(ratio));
  const weight = (u) => (fullness(u) >= .8 ? 1 + fullness(u) : 0);
  const users = list(o.users).slice().sort((a, b) => weight(b) - weight(a) || b.recipients - a.recipients).slice(0, 15);
  refill($('users-list'), users, () => {
    if (users.length === 0)
      return [make('p.empty', 'Nobody has sent anything yet.')];
    const head = make('div.user.head', null, make('span', 'Login'), make('span.n', 'messages'), make('span.n', 'recipients'), make('span.n', 'refused'), make('span', 'budgets'));
    return [head, ...users.map((user) => {
      const budgets = list(user.budgets).slice().sort((a, b) => ratio(b) - ratio(a)).slice(0, 4);
      return make('div.user.' + nearness(fullness(user)), null,
        make('div', null, filterButton('user', text(user.user))),
        make('span.n', number(user.messages)), make('span.n', number(user.recipients)),
        make(user.refused > 0 ? 'span.n.bad' : 'span.n', number(user.refused)),
        make('div.budgets', null, ...(budgets.length > 0 ? budgets.map(budgetOf) : [make('span.did', 'no rule limits this login')])));
    })];
  });
}

function ago(when) {
  const time = Date.parse(when);
  return Number.isNaN(time) ? '' : duration(Math.max(0, Date.now() - time));
}

const ms = (n) => Number(n).toFixed(n < 10 ? 1 : 0);

function serverOf(server) {
  const isUp = server.up === true;
  const latency = server.latency_ms || {};
  const lasting = ago(server.since);
  const about = [`${number(server.in_use)} in use, ${number(server.idle)} idle`];
  if (latency.p99 > 0) about.push(`${ms(latency.p50)} / ${ms(latency.p99)} ms`);
  const lamp = make(isUp ? 'span.lamp.here' : 'span.lamp.away');
  lamp.setAttribute('aria-hidden', 'true');
  const row = make('div.server', null, lamp,
    make('span', null, make('b', text(server.upstream)), ` ${text(server.server)} `, make('span.did', `${isUp ? 'up' : 'down'}${lasting ? ` for ${lasting}` : ''}`)),
    make('span.about', about.join(' · ')));
  row.lastChild.title = 'Connections; latency of answers, median and 99th percentile';
  if (!isUp && text(server.error) !== '') row.append(make('span.fault', text(server.error)));
  return row;
}

function showUpstreams(o) {
  const servers = list(o.upstreams);
  const shadow = o.shadow || {};
  const recent = list(shadow.recent).slice(0, 8);
  refill($('upstreams-list'), [servers, mail.boxes, Math.floor(Date.now() / 10000)], () => {
    const rows = servers.map(serverOf);
    for (const box of mail.boxes)
      rows.push(make('div.server', null, make('span.lamp.here'), make('span', null, make('b', box), ' Maildir'), make('span.about', '')));
    return rows.length > 0 ? rows : [make('p.empty', 'No server has been asked yet.')];
  });
  $('shadow-count').textContent = shadow.differences > 0 ? `${number(shadow.differences)} differences` : '';
  refill($('shadow-list'), [recent, shadow.differences], () => {
    if (recent.length === 0)
      return [make('p.empty', 'No difference: no candidate policy runs beside the live one, or both agree.')];
    return recent.map((one) => {
      const button = make('button.differs', null,
        make('time', clock(new Date(one.time))),
        make('span', `${text(one.live)} → ${text(one.shadow)}${one.rule ? `, ${text(one.rule)}` : ''}`));
      button.type = 'button';
      button.title = `Explain ${text(one.id)}`;
      button.addEventListener('click', () => explain(text(one.id), null));
      return button;
    });
  });
}

function show(o) {
  overview = o;
  const now = new Date(o.time);
  const end = Number.isNaN(now.getTime()) ? new Date() : now;
  showFigures(o);
  showHour(o, end);
  showRules(o, end);
  showUsers(o);
  showUpstreams(o);
  const accepted = o.transactions?.accept;
  if (accepted !== mail.accepted && mail.start === 0) {
    mail.accepted = accepted;
    refreshMail();
  }
}

async function watchOverview() {
  for (;;) {
    try {
      const o = await (await ask('/api/overview', { signal: AbortSignal.timeout(10000) })).json();
      showHere();
      show(o);
      await pause(document.hidden ? 5 * OVERVIEW_MS : OVERVIEW_MS);
    } catch (error) {
      showAway(error.status ? error.message : '');
      await pause(retryMs());
    }
  }
}

/* --- the log --- */

const log = { place: null, serial: 0, isPaused: false, held: [], chosen: null, abort: null, count: 0, next: 0 };

const seconds = (entry) => {
  const date = new Date(entry.time);
  return Number.isNaN(date.getTime()) ? '' : clock(date);
};

function pathOf(entry) {
  const rcpt = list(entry.rcpt);
  const from = entry.mail ? (entry.mail.from === '' ? '<>' : text(entry.mail.from)) : '';
  const to = rcpt.length > 0 ? text(rcpt[0].to) : '';
  const more = (entry.cut && entry.rcpt_count ? entry.rcpt_count : rcpt.length) - 1;
  return `${from} → ${to || '-'}${more > 0 ? ` (+${more})` : ''}`;
}

/* What another event than a transaction says: [word, kind, who, what]. */
const EVENTS = {
  auth: (e) => [text(e.auth?.result) || 'auth', e.auth?.result === 'ok' ? 'accept' : 'bad', text(e.auth?.user) || text(e.auth?.name),
    `login by ${text(e.auth?.mechanism)} from ${text(e.client?.ip)}`],
  session: (e) => ['session', e.refused || e.reply ? 'bad' : 'abort', text(e.auth?.user) || text(e.client?.ip),
    `${number(e.transactions)} transactions, end: ${text(e.end)}${list(e.caps).length ? `, ${list(e.caps).join(', ')}` : ''}`],
  limit: (e) => ['limit', e.exceeded ? 'bad' : 'defer', text(e.key),
    e.did ? `${text(e.did)} by ${text(e.by)}` : `${e.exceeded ? 'exceeded' : 'nearly used up'}: ${number(e.used)} of ${number(e.max)}`],
  list: (e) => ['list', 'abort', text(e.list), `${text(e.did)} ${text(e.value)}${e.for_ms ? ` for ${duration(e.for_ms)}` : ''}`],
  upstream: (e) => [text(e.upstream?.state) || 'upstream', e.upstream?.state === 'down' ? 'bad' : 'accept', text(e.upstream?.name),
    `${text(e.upstream?.server)} ${text(e.upstream?.fault)}`],
  config: (e) => ['config', e.verdict === 'reject' ? 'bad' : 'accept', text(e.by), `configuration ${text(e.verdict)}ed`],
  log: (e) => ['log', 'bad', '', e.lost ? `${number(e.lost)} lines were lost` : text(e.not_reopened)],
};

function rulesOf(entry) {
  const names = list(entry.rules).map((r) => text(r.rule) + (r.mode === 'shadow' ? ' (shadow)' : ''));
  if (text(entry.rule) !== '') names.push(entry.rule);
  return [...new Set(names)].join(', ');
}

function rowOf(entry) {
  let word = text(entry.verdict), kind = word, who = text(entry.auth?.user), what = pathOf(entry);
  if (entry.event !== 'transaction')
    [word, kind, who, what] = (EVENTS[entry.event] || (() => [text(entry.event), 'abort', '', '']))(entry);
  const reply = text(entry.reply) || text(entry.upstream?.reply);
  const size = entry.message?.bytes ?? entry.mail?.size;
  const id = text(entry.id) || text(entry.session);
  const time = make('time', seconds(entry));
  time.dateTime = text(entry.time);
  const row = make('div.entry', null, time, make(`span.verdict.${/^[a-z]+$/.test(kind) ? kind : 'abort'}`, word),
    make('span.who', who), make('span.path', what), make('span.size', size === undefined ? '' : octets(size)),
    make('span.reply', reply), make('span.rules', rulesOf(entry)), make('span.id', id));
  row.setAttribute('role', 'option');
  row.setAttribute('aria-selected', 'false');
  row.id = `entry-${log.next++}`;
  row.title = [text(entry.time), who, what, reply, rulesOf(entry)].filter(Boolean).join('\n');
  row.entry = entry;
  return row;
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
  while (host.childElementCount > ENTRIES_MAX && host.lastElementChild !== log.chosen) host.lastElementChild.remove();
}

function addGap(words) {
  const gap = make('div.entry.gap', words);
  $('entries').prepend(gap);
}

function showLogState(words) {
  const held = log.isPaused && log.held.length > 0 ? `${log.held.length} new, held` : '';
  $('log-state').textContent = words !== undefined ? words : log.isPaused ? held || 'paused' : 'live';
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

/* What sends a first mail; where no Maildir is the usual port may be wrong. */
function firstMail() {
  const door = mail.door || { port: 587, tls: 'starttls', auth: true };
  const tls = { starttls: ' --tls', implicit: ' --tls-on-connect' }[door.tls] || '';
  const login = door.auth ? ' --auth PLAIN --auth-user USER' : '';
  return `swaks --server ${location.hostname}:${door.port}${tls}${login} --from YOU --to SOMEBODY`;
}

function emptyLog() {
  if (filterWords().length > 0)
    return make('p.empty', 'No decision matches these filters.');
  return make('p.empty', null, 'No decision yet. Send a mail with ', make('code', firstMail()), '.');
}

/* Reads on until the filters change. */
async function watchLog() {
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

function filterWords() {
  const words = [];
  for (const field of $('filters').elements) {
    if (!field.name) continue;
    const value = field.type === 'checkbox' ? (field.checked ? field.value : '') : field.value.trim();
    if (value !== '') words.push(`${field.name}=${value}`);
  }
  return words;
}

function onFilters() {
  for (const field of $('filters').elements)
    if (field.name) field.classList.toggle('set', field.type !== 'checkbox' && field.value.trim() !== '');
  const words = filterWords();
  const query = new URLSearchParams(words.map((word) => [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)]));
  history.replaceState(null, '', words.length > 0 ? `#log?${query}` : location.pathname);
  watchLog();
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
  onFilters();
  $('log').scrollIntoView({ block: 'nearest' });
  $('entries').focus({ preventScroll: true });
}

/* --- lists that arrow keys walk through --- */

function optionsOf(host) {
  return [...host.querySelectorAll('[role="option"]')];
}

function mark(host, row) {
  for (const one of host.querySelectorAll('[aria-selected="true"]')) one.setAttribute('aria-selected', 'false');
  if (row === null) {
    host.removeAttribute('aria-activedescendant');
    return;
  }
  row.setAttribute('aria-selected', 'true');
  host.setAttribute('aria-activedescendant', row.id);
  row.scrollIntoView({ block: 'nearest' });
}

function choose(row) {
  log.chosen = row;
  mark($('entries'), row);
}

function walk(host, chosen, event, onChoose, onEnter) {
  const rows = optionsOf(host);
  const at = rows.indexOf(chosen);
  const page = Math.max(1, Math.floor(host.clientHeight / (rows[0]?.offsetHeight || 20)) - 1);
  const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -rows.length, End: rows.length };
  if (event.key === 'Enter' || event.key === ' ') {
    event.preventDefault();
    if (at >= 0) onEnter(rows[at]);
  } else if (event.key in steps && rows.length > 0) {
    event.preventDefault();
    const next = at < 0 ? 0 : at + steps[event.key];
    onChoose(rows[Math.max(0, Math.min(rows.length - 1, next))]);
  }
}

function listen(host, chosenOf, onChoose, onEnter) {
  host.addEventListener('keydown', (event) => walk(host, chosenOf(), event, onChoose, onEnter));
  host.addEventListener('focus', () => {
    const row = optionsOf(host)[0];
    if (chosenOf() === null && row && host.matches(':focus-visible')) onChoose(row);
  });
  host.addEventListener('click', (event) => {
    const row = event.target.closest('[role="option"]');
    if (row === null) return;
    onChoose(row);
    onEnter(row);
  });
}

/* --- one decision explained --- */

async function explain(id, entry) {
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
  try {
    const story = await (await ask(`/api/explain/${encodeURIComponent(id)}`)).text();
    if ($('story-title').textContent === id) $('story-text').textContent = story;
  } catch (error) {
    $('story-text').textContent = error.status ? error.message : 'The server does not answer.';
  }
}

/* --- mail: RFC 5322 and MIME, made into text --- */

const DEPTH_MAX = 8;
const PARTS_MAX = 200;

const toOctets = (binary) => Uint8Array.from(binary, (c) => c.charCodeAt(0) & 0xff);

function toBinary(array) {
  let binary = '';
  for (let i = 0; i < array.length; i += 8192)
    binary += String.fromCharCode(...array.subarray(i, i + 8192));
  return binary;
}

/* Octets that call themselves `charset`; what they say may be wrong. */
function decode(binary, charset) {
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

function fromQuoted(binary) {
  return binary.replace(/[ \t]+(?=\r?\n|$)/g, '').replace(/=\r?\n/g, '')
    .replace(/=([0-9A-Fa-f]{2})/g, (_, hex) => String.fromCharCode(parseInt(hex, 16)));
}

/* RFC 2047. Words of one charset that follow each other are one text, as a
 * character may be split between them. */
function decodeWords(value) {
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

function readHeader(block) {
  const fields = [];
  for (const line of block.replace(/\r?\n[ \t]/g, (fold) => fold.slice(-1)).split(/\r?\n/)) {
    const colon = line.indexOf(':');
    if (colon > 0) fields.push([line.slice(0, colon).trimEnd(), line.slice(colon + 1).trim()]);
  }
  return fields;
}

function field(fields, name) {
  const found = fields.find(([key]) => key.toLowerCase() === name);
  return found ? found[1] : '';
}

/* A value and its parameters; RFC 2231 for those that are long or not ASCII. */
function readParameters(value) {
  const parameters = {};
  const pieces = {};
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
    const bare = line.replace(/[ \t\r\n]+$/, '');
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
function readMail(binary) {
  const out = { fields: [], text: [], html: [], attachments: [], parts: 0 };
  readPart(binary, out, 0);
  return out;
}

/* --- mail: the section --- */

const mail = { door: null, boxes: [], box: null, start: 0, total: 0, accepted: undefined, chosen: null, serial: 0 };

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
  mail.door = answer.door;
  if (log.place !== null && $('entries').querySelector('.empty') !== null) $('entries').replaceChildren(emptyLog());
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

function emptyMail() {
  return make('p.empty', null, 'No mail yet: send one with ', make('code', firstMail()), '.');
}

function chooseMessage(row) {
  mail.chosen = row;
  mark($('messages'), row);
}

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

async function openMessage(row) {
  const one = row.message;
  const path = `/api/mail/${encodeURIComponent(one.name)}?${new URLSearchParams({ box: mail.box })}`;
  try {
    const response = await ask(`${path}&octets=${MAIL_OCTETS}`);
    showMessage(one, toBinary(new Uint8Array(await response.arrayBuffer())), path);
    $('message').focus({ preventScroll: true });
  } catch (error) {
    $('message').replaceChildren(make('p.fault', error.status ? error.message : 'The server does not answer.'));
  }
}

/* --- the page --- */

function turnPage(by) {
  mail.start = Math.max(0, mail.start + by * MAIL_PAGE);
  mail.chosen = null;
  refreshMail();
}

function begin() {
  $('legend').replaceChildren(...KINDS.map(([kind, name]) => make('li', null, make('span.swatch.' + kind), name)));
  let timer = 0;
  $('filters').addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(onFilters, 300);
  });
  $('filters').addEventListener('submit', (event) => {
    event.preventDefault();
    clearTimeout(timer);
    onFilters();
  });
  $('filters').addEventListener('reset', () => setTimeout(onFilters));
  $('pause').addEventListener('click', () => {
    log.isPaused = !log.isPaused;
    $('pause').setAttribute('aria-pressed', String(log.isPaused));
    $('pause').textContent = log.isPaused ? 'Go on' : 'Pause';
    if (!log.isPaused) {
      addEntries(log.held, true);
      log.held = [];
    }
    showLogState();
  });
  listen($('entries'), () => log.chosen, choose,
    (row) => explain(text(row.entry.id) || text(row.entry.session), row.entry));
  listen($('messages'), () => mail.chosen, chooseMessage, openMessage);
  $('message').addEventListener('keydown', (event) => {
    if (event.key === 'Escape') $('messages').focus();
  });
  $('story-close').addEventListener('click', () => $('story').close());
  $('story').addEventListener('click', (event) => {
    if (event.target === $('story')) $('story').close();
  });
  $('box').addEventListener('change', () => {
    mail.box = $('box').value;
    mail.start = 0;
    mail.chosen = null;
    refreshMail();
  });
  $('newer').addEventListener('click', () => turnPage(-1));
  $('older').addEventListener('click', () => turnPage(1));
  document.addEventListener('keydown', (event) => {
    const isTyping = /^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement?.tagName || '');
    if (event.key === '/' && !isTyping && !$('story').open) {
      event.preventDefault();
      $('filters').elements.user.focus();
    } else if (event.key === 'Escape' && isTyping && $('filters').contains(document.activeElement)) {
      $('entries').focus();
    }
  });
  readFilters();
  onFilters();
  refreshMail();
  watchOverview();
}

/* For the tests of the page. */
window.postern = Object.freeze({ readMail, decodeWords, readParameters });

begin();
