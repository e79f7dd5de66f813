/* Lists that arrow keys walk through. */

export function optionsOf(host) {
  return [...host.querySelectorAll('[role="option"]')];
}

export function mark(host, row) {
  for (const one of host.querySelectorAll('[aria-selected="true"]')) one.setAttribute('aria-selected', 'false');
  if (row === null) {
    host.removeAttribute('aria-activedescendant');
    return;
  }
  row.setAttribute('aria-selected', 'true');
  host.setAttribute('aria-activedescendant', row.id);
  row.scrollIntoView({ block: 'nearest' });
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

export function listen(host, chosenOf, onChoose, onEnter) {
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
