/** `veilcast ca`: an authority in a folder, and certificates of it for the processes of a cluster (ADR 0023). */
import {
  AUTHORITY_DAYS,
  CERTIFICATE_DAYS,
  dropOldAuthorities,
  filesOf,
  initFolder,
  issueInto,
  readFolder,
  renewFolder,
  revokeIn,
  rotateAuthority,
} from '@veilcast/ca';
import { Identity, ProcessKind } from '@veilcast/control';
import { RegionId } from '@veilcast/protocol';
import { Command, InvalidArgumentError, Option } from 'commander';
import { relative } from 'node:path';
import { z } from 'zod';

const DAY_MS = 86_400_000;
/** A name or an address as a certificate may hold it. */
const Host = z.union([
  z.ipv4(),
  z.ipv6(),
  z.string().regex(/^(?=.{1,253}$)[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?$/),
]);

function checked<T>(schema: z.ZodType<T>, what: string): (text: string) => T {
  return (text) => {
    const { data, success } = schema.safeParse(text);
    if (!success) throw new InvalidArgumentError(what);
    return data;
  };
}

const days = (fallback: number): Option =>
  new Option('--days <days>', 'how long it lives')
    .default(fallback)
    .argParser(checked(z.coerce.number().positive().max(3_650), 'Days are more than 0 and at most 3650.'));
const hosts = (text: string): string[] =>
  checked(Host.array().max(16), 'Hosts are names and addresses with commas between.')(text.split(',') as never);

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** The command and its sub-commands. */
export function caCommand(): Command {
  const ca = new Command('ca').description('certificates for the processes of a cluster');
  const folder = ['<folder>', 'where the authority and the certificates are'] as const;
  const which = (command: Command): Command =>
    command
      .addOption(new Option('--kind <kind>', 'of process').choices(ProcessKind.options).makeOptionMandatory())
      .addOption(
        new Option('--id <id>', 'of the process')
          .argParser(checked(Identity.shape.processId, 'An id is letters, digits, _, . and -, at most 64.'))
          .makeOptionMandatory(),
      );

  ca.command('init')
    .description('make an authority')
    .argument(...folder)
    .addOption(
      new Option('--cluster <name>', 'whose processes it speaks for')
        .default('veilcast')
        .argParser(checked(Identity.shape.cluster, 'A cluster is lower-case letters, digits and -, at most 64.')),
    )
    .addOption(days(AUTHORITY_DAYS))
    .option('--force', 'even where there is one already: all its certificates become worthless', false)
    .action(async (at: string, options: { cluster: string; days: number; force: boolean }) => {
      await initFolder(at, { cluster: options.cluster, days: options.days, now: Date.now(), replace: options.force });
      say(`An authority for the cluster ${options.cluster}. Its key is ca.key: whoever has that can be any process.`);
    });

  which(
    ca
      .command('issue')
      .description('make a certificate for a process')
      .argument(...folder),
  )
    .addOption(
      new Option('--region <region>', 'where the process stands')
        .argParser(checked(RegionId, 'A region is lower-case letters, digits and -.'))
        .makeOptionMandatory(),
    )
    .addOption(
      new Option('--hosts <names>', 'names and addresses to add, for other tools').default([], 'none').argParser(hosts),
    )
    .addOption(days(CERTIFICATE_DAYS))
    .option('--force', 'even where it has one already', false)
    .action(
      async (
        at: string,
        options: { kind: ProcessKind; region: RegionId; id: string; hosts: string[]; days: number; force: boolean },
      ) => {
        const { kind, region, id: processId, force: replace } = options;
        const wanted = { kind, region, processId, hosts: options.hosts, days: options.days, now: Date.now(), replace };
        const files = filesOf(at, await issueInto(at, wanted));
        say(
          `certFile = "${files.certFile}"\nkeyFile = "${files.keyFile}"\ncaFile = "${files.caFile}"\ncrlFile = "${files.crlFile}"`,
        );
      },
    );

  ca.command('renew')
    .description('renew what has less than a third of its life left; running processes take it by themselves')
    .argument(...folder)
    .option('--all', 'renew everything now', false)
    .action(async (at: string, { all }: { all: boolean }) => {
      const renewed = await renewFolder(at, { all, now: Date.now() });
      say(
        renewed.length === 0
          ? 'Nothing is due.'
          : renewed.map(({ kind, processId }) => `renewed ${kind} ${processId}`).join('\n'),
      );
    });

  which(
    ca
      .command('revoke')
      .description('refuse a process from now on')
      .argument(...folder),
  ).action(async (at: string, { kind, id: processId }: { kind: ProcessKind; id: string }) => {
    await revokeIn(at, { kind, processId, now: Date.now() });
    say('It is on crl.pem, which every process of the cluster must be given.');
  });

  ca.command('rotate')
    .description('put another authority beside the present one; then renew --all, then rotate --finish')
    .argument(...folder)
    .option('--finish', 'drop the authorities before the present one', false)
    .action(async (at: string, { finish }: { finish: boolean }) => {
      if (finish) await dropOldAuthorities(at);
      else await rotateAuthority(at, { now: Date.now() });
      say(
        finish
          ? 'Only the present authority is trusted.'
          : 'Both are trusted. Next: ca renew --all, then ca rotate --finish.',
      );
    });

  ca.command('show')
    .description('what is in the folder')
    .argument(...folder)
    .action(async (at: string) => show(at));
  return ca;
}

async function show(at: string): Promise<void> {
  const { cluster, authorities, issued } = await readFolder(at);
  const now = Date.now();
  const left = (notAfter: number): string =>
    notAfter <= now ? 'expired' : `${((notAfter - now) / DAY_MS).toFixed(1)} days left`;
  say(`cluster ${cluster}`);
  for (const { serial, notAfter } of authorities) say(`  authority  ${serial}  ${left(notAfter)}`);
  for (const { identity, serial, notAfter, trusted, revoked, files } of issued) {
    const state = revoked ? 'revoked' : trusted ? left(notAfter) : 'of an authority that is gone';
    say(
      `  ${identity.kind} ${identity.region} ${identity.processId}  ${serial}  ${state}  ${relative(at, files.cert)}`,
    );
  }
}
