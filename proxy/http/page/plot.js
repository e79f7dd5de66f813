/* Stacked columns, a minute each, that keys and the pointer read. */

import { svg } from './elements.js';
import { list, number, sum, two } from './words.js';

export const MINUTES = 60;

export const minutesOf = (value) => {
  const given = list(value).slice(-MINUTES).map((n) => Number(n) || 0);
  return [...new Array(MINUTES - given.length).fill(0), ...given];
};

/* A round top of an axis and the distance of its lines. */
function scale(most) {
  if (most <= 4) return [4, 1];
  const rough = most / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const tick = [1, 2, 2.5, 5, 10].map((m) => m * power).find((t) => t >= rough && Number.isInteger(t));
  return [Math.ceil(most / tick) * tick, tick];
}

export class Plot {
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
