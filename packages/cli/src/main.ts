/** The `veilcast` command: parses arguments, calls what does the work, and turns failures into one sentence and an exit code. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { ClusterError, PeerToPeer, RegionId, Role, RoomId } from '@veilcast/protocol';
import { caCommand } from './ca.ts';
import { hostsCommand } from './hosts/index.ts';
import { loadCommand } from './load/command.ts';
import { LoadToken } from '@veilcast/signaling';
import { simCommand, sizeCommand } from './simulator.ts';
import { issueToken, requestToken, type ApiKey, type TokenRequest } from './token.ts';
import { up, upAsProcesses, type UpOptions } from './up.ts';

function port(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > 65_535) throw new InvalidArgumentError('A port is 0 to 65535.');
  return value;
}

function regions(text: string): RegionId[] {
  const parsed = RegionId.array().min(1).max(16).safeParse(text.split(','));
  if (!parsed.success) throw new InvalidArgumentError('Regions are lower-case words with commas between: eu,us');
  if (new Set(parsed.data).size < parsed.data.length) throw new InvalidArgumentError('A region is named twice.');
  return parsed.data;
}

function room(text: string): RoomId {
  const parsed = RoomId.safeParse(text);
  if (!parsed.success) throw new InvalidArgumentError('A room is lower-case letters, digits, - and _, at most 64.');
  return parsed.data;
}

function loadToken(text: string): string {
  const parsed = LoadToken.safeParse(text);
  if (!parsed.success) throw new InvalidArgumentError('A load token is 8 to 128 letters, digits, - and _.');
  return parsed.data;
}

const ONE_PROCESS = ['eu', 'us'].map((name) => RegionId.parse(name));
const THREE_REGIONS = ['eu', 'us', 'ap'].map((name) => RegionId.parse(name));

interface KeyOptions {
  readonly key?: string;
  readonly secret?: string;
}

type UpArguments = Omit<UpOptions, 'regions' | 'peerToPeer'> &
  KeyOptions & { readonly regions?: RegionId[]; readonly cluster: boolean; readonly p2p: PeerToPeer };

/** Also from the environment: what is in an argument can be read by everybody on the machine. */
const SECRET = new Option('--secret <secret>', 'of the API key').env('VEILCAST_API_SECRET');

function apiKeyOf({ key, secret }: KeyOptions): ApiKey | undefined {
  if (key === undefined) return undefined;
  if (secret === undefined) throw new ClusterError('UNAUTHORIZED', '--key needs --secret, or VEILCAST_API_SECRET.');
  return { id: key, secret };
}

const program = new Command('veilcast').description('Calls and broadcasts that nobody in the middle can see.');

program
  .command('up')
  .description('start a whole cluster on this machine and print the links')
  .addOption(new Option('--port <port>', 'of the pages and of signaling').default(7800).argParser(port))
  .addOption(
    new Option('--regions <names>', 'eu,us with one node each; eu,us,ap with two each in a cluster').argParser(regions),
  )
  .addOption(
    new Option('--p2p [policy]', 'calls between two go directly: where both links say p2p=1 when not given')
      .choices(PeerToPeer.options)
      .preset('on')
      .default('asked'),
  )
  .option('--lan', 'HTTPS on all addresses of this machine, with a QR code', false)
  .option('--state <dir>', 'keep identities between runs: the keys and the log of the Authentication Service')
  .option('--key <id>', 'an API key whose tokens are taken')
  .addOption(SECRET)
  .addOption(
    new Option('--load-token <token>', 'of a load test that may come: shown at /api/load')
      .env('VEILCAST_LOAD_TOKEN')
      .argParser(loadToken),
  )
  .option('--cluster', 'the services as separate processes over Redis with mutual TLS', false)
  .action(async ({ p2p: peerToPeer, ...options }: UpArguments) => {
    const apiKey = apiKeyOf(options);
    if (!options.cluster) return up({ ...options, apiKey, peerToPeer, regions: options.regions ?? ONE_PROCESS });
    if (options.lan)
      throw new ClusterError('UNSUPPORTED', '--cluster is for this machine alone; choose one of the two.');
    await upAsProcesses({ ...options, apiKey, peerToPeer, regions: options.regions ?? THREE_REGIONS });
  });

program
  .command('token')
  .description('a join token: from a running `veilcast up`, or issued here with an API key')
  .requiredOption('--room <room>', 'the room', room)
  .option('--name <name>', 'who it is for; becomes the participant id')
  .addOption(new Option('--role <role>', 'what the participant may do').choices(Role.options).default('speaker'))
  .addOption(new Option('--regions <names>', 'the room may be in these regions only').argParser(regions))
  .option('--url <url>', 'where the cluster is', 'http://localhost:7800')
  .option('--key <id>', 'the API key to issue it with; nobody is asked')
  .addOption(SECRET)
  .action(async (options: TokenRequest & KeyOptions) => {
    const key = apiKeyOf(options);
    process.stdout.write(`${await (key ? issueToken(options, key) : requestToken(options))}\n`);
  });

program.addCommand(caCommand());
program.addCommand(hostsCommand());
program.addCommand(loadCommand(SECRET, apiKeyOf));
program.addCommand(simCommand());
program.addCommand(sizeCommand());

try {
  await program.parseAsync();
} catch (thrown) {
  const error = ClusterError.of(thrown);
  const reason = error.code === 'INTERNAL' && thrown instanceof Error ? thrown.message : error.message;
  process.stderr.write(`✗ ${reason} (${error.code})\n`);
  process.exitCode = 1;
}
