/* What sends a first mail, told where there is none yet. */

/* Where it can be sent to, {port, tls, auth}; where no Maildir is nobody says,
 * and the usual port may be wrong. */
let door = { port: 587, tls: 'starttls', auth: true };

export function setDoor(told) {
  door = told;
}

export function firstMail() {
  const tls = { starttls: ' --tls', implicit: ' --tls-on-connect' }[door.tls] || '';
  const login = door.auth ? ' --auth PLAIN --auth-user USER' : '';
  return `swaks --server ${location.hostname}:${door.port}${tls}${login} --from YOU --to SOMEBODY`;
}
