/* Asks for the numbers again and again, and has each part show its own. */

import { ask, pause, retryMs, showAway, showHere } from './connection.js';
import { showFigures } from './figures.js';
import { showHour } from './hour.js';
import { refreshMailIf } from './mail.js';
import { showRules } from './rules.js';
import { showShadow } from './shadow.js';
import { showUpstreams } from './upstreams.js';
import { showUsers } from './users.js';

const OVERVIEW_MS = 2000;

function show(o) {
  const now = new Date(o.time);
  const end = Number.isNaN(now.getTime()) ? new Date() : now;
  showFigures(o);
  showHour(o, end);
  showRules(o, end);
  showUsers(o);
  showUpstreams(o);
  showShadow(o);
  refreshMailIf(o.transactions?.accept);
}

export async function watchOverview() {
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
