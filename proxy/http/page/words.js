/* Values of what the server gives, and numbers, times and sizes in words. */

export const sum = (list) => list.reduce((a, b) => a + b, 0);
export const list = (value) => (Array.isArray(value) ? value : []);
export const text = (value) => (typeof value === 'string' ? value : '');
export const two = (n) => String(n).padStart(2, '0');
export const number = (n) => Number(n || 0).toLocaleString('en-US');

export function clock(date) {
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

export function duration(ms) {
  const s = Math.round(ms / 1000);
  if (ms < 1000) return ms > 0 ? `${Math.round(ms)} ms` : '0 s';
  if (s < 120) return `${s} s`;
  if (s < 7200) return `${Math.round(s / 60)} min`;
  if (s < 172800) return `${(s / 3600).toFixed(s < 36000 ? 1 : 0)} h`;
  return `${Math.round(s / 86400)} d`;
}

export function octets(n) {
  if (!(n >= 0)) return '';
  const units = ['B', 'K', 'M', 'G', 'T'];
  let unit = 0;
  while (n >= 1024 && unit < units.length - 1) { n /= 1024; unit++; }
  return unit === 0 ? `${n} B` : `${n.toFixed(n < 10 ? 1 : 0)}${units[unit]}`;
}
