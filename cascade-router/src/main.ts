/** The process of its own. Needs a Carrier that crosses the network, and a shared store: until both exist, it says so and ends. */
import process from 'node:process';

process.stderr.write(
  'cascade-router cannot run as a process of its own yet: the network carrier (HTTP/2 with mutual TLS) and the Redis ' +
    'coordination adapter are missing. Run all services in one process with `./veilcast up`.\n',
);
process.exitCode = 1;
