/** Who may do what. One table; every other file asks `can`. */
import type { Role } from '@veilcast/protocol';

/** What a role can allow. Everything else is open to whoever has joined. */
export type Act = 'produce' | 'consume' | 'lock' | 'admit' | 'deny' | 'kick';

const ALLOWED: Readonly<Record<Act, readonly Role[]>> = {
  produce: ['host', 'speaker'],
  consume: ['host', 'speaker', 'viewer'],
  lock: ['host'],
  admit: ['host'],
  deny: ['host'],
  kick: ['host'],
};

/** Whether somebody of this role may do it at all. */
export function can(role: Role, act: Act): boolean {
  return ALLOWED[act].includes(role);
}
