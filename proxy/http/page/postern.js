/* The dashboard. Reads only. */

import { $ } from './elements.js';
import { beginExplain } from './explain.js';
import { beginFilters } from './filters.js';
import { beginHour } from './hour.js';
import { beginLog, watchLog } from './log.js';
import { beginMail } from './mail.js';
import { decodeWords, readMail, readParameters } from './mime.js';
import { watchOverview } from './overview.js';

function onKey(event) {
  const isTyping = /^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement?.tagName || '');
  if (event.key === '/' && !isTyping && !$('story').open) {
    event.preventDefault();
    $('filters').elements.user.focus();
  } else if (event.key === 'Escape' && isTyping && $('filters').contains(document.activeElement)) {
    $('entries').focus();
  }
}

/* For the tests of the page. */
window.postern = Object.freeze({ readMail, decodeWords, readParameters });

document.addEventListener('keydown', onKey);
beginHour();
beginExplain();
beginLog();
beginFilters(watchLog);
beginMail();
watchOverview();
