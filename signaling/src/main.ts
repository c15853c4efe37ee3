/**
 * Signaling as a process of its own. Processes of a cluster speak with each other over a network Carrier, and share Leases
 * through a network store; neither exists yet, and a process alone with memory adapters would find nobody.
 */
import { createLogger } from '@veilcast/node-kit';

const log = createLogger({ service: 'signaling' });
log.fatal(
  'signaling does not run as a process of its own yet: the network Carrier (packages/control) and the Redis adapters ' +
    '(packages/coordination) are missing. `./veilcast up` runs it together with all the others in one process.',
);
process.exitCode = 1;
