/** A node as a process of its own. Refuses until there is a way to other processes; `veilcast up` runs nodes until then. */
process.stderr.write(
  [
    'sfu-node cannot run as a process of its own yet. Missing:',
    '  - a network Carrier in packages/control (there is only the one within a process)',
    '  - a shared Directory in packages/coordination (there is only the one in memory)',
    'Run all services in one process instead: ./veilcast up',
    '',
  ].join('\n'),
);
process.exitCode = 1;
