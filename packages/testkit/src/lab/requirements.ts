/** What a lab needs of the machine. */
import { accessSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const PROGRAMS = ['ip', 'sysctl', 'gcc', 'iptables-legacy', 'ip6tables-legacy', 'iptables-legacy-restore'];

/** Why there can be no lab on this machine; undefined when there can. */
export function missingForLab(): string | undefined {
  if (process.platform !== 'linux') return 'network namespaces are Linux only';
  if (process.getuid?.() !== 0) return 'network namespaces need root: run it as root';
  const missing = PROGRAMS.filter((program) => !isOnPath(program));
  return missing.length === 0 ? undefined : `not installed: ${missing.join(', ')}; ./veilcast test installs them`;
}

function isOnPath(program: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program));
      return true;
    } catch {
      return false;
    }
  });
}
