/** What this system says of a process. Linux alone. */
import { readdirSync, readFileSync } from 'node:fs';

/** File descriptors that a process has open. */
export function descriptors(pid: number | 'self'): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** Neither gone nor waiting for its parent to look. */
export function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !readFileSync(`/proc/${pid}/stat`, 'latin1').includes(') Z ');
  } catch {
    return false;
  }
}
