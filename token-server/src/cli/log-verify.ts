import {
  base64url,
  curves,
  decodeHead,
  verifyHead,
  type LogHead,
  type VerifyingKey,
} from 'twilio-chat-encryption/protocol';
import { readKeys } from '../config.ts';
import type { Environment } from '../environment.ts';
import { auditCards } from '../domain/card-audit.ts';
import type { Finding } from '../domain/findings.ts';
import { KnownHeads } from '../domain/known-heads.ts';
import { auditLeaves } from '../domain/leaf-audit.ts';
import { auditLog } from '../domain/log-audit.ts';
import { publicKeysOf } from '../domain/public-keys.ts';
import { UsageError, type CommandCall, type CommandOptions } from './command.ts';
import { loadEnvironment } from './environment.ts';
import { printable } from './printable.ts';
import { remoteLog } from './remote-log.ts';
import { withStore } from './with-store.ts';

const MAX_PRINTED = 100;

/** `log verify`: computes a log again, prints what is wrong, and then exits with 1. */
export async function verifyLog({ envFile, options }: CommandCall): Promise<void> {
  const environment = loadEnvironment(envFile);
  const found = { count: 0 };
  const report = ({ where, what }: Finding): void => {
    found.count += 1;
    if (found.count <= MAX_PRINTED) console.log(printable(`${where}: ${what}`));
  };
  const verify = options.server === undefined ? verifyDatabase : verifyServer;
  const summary = await verify(environment, options, report);
  if (found.count > MAX_PRINTED) console.log(`and ${found.count - MAX_PRINTED} more.`);
  console.log(`${summary}: ${found.count === 0 ? 'all is as it has to be.' : 'see above.'}`);
  if (found.count > 0) process.exitCode = 1;
}

async function verifyDatabase(
  environment: Environment,
  options: CommandOptions,
  report: (finding: Finding) => void,
): Promise<string> {
  const { logKey, appKeys } = await keysOf(environment, options);
  const heads = new KnownHeads(await headsOf(options, logKey), report);
  return withStore(environment, async (store) => {
    const { size } = await auditLog({ store, logKey: logKey.publicKey, heads, report });
    const cards = await auditCards({ store, logKey: logKey.publicKey, appKeys, report });
    return `${size} entries, ${cards} cards`;
  });
}

async function verifyServer(
  environment: Environment,
  options: CommandOptions,
  report: (finding: Finding) => void,
): Promise<string> {
  const { server = '', 'log-key': logKeyText } = options;
  if (logKeyText === undefined) throw new UsageError('--server needs --log-key.');
  const logKey = await publicKey(logKeyText, '--log-key');
  const log = remoteLog(server, environment['SESSION'] ?? '');
  const headText = await log.head();
  const head = await signedHead(headText, logKey, 'The head of the server');
  const heads = new KnownHeads([head, ...(await headsOf(options, logKey))], report);
  await auditLeaves({ entries: log.entries, size: head.size, heads, report });
  return `head ${headText}\n${head.size} entries`;
}

async function keysOf(
  environment: Environment,
  options: CommandOptions,
): Promise<{ readonly logKey: VerifyingKey; readonly appKeys: readonly VerifyingKey[] }> {
  const { 'log-key': logKeyText, 'app-key': appKeyTexts = [] } = options;
  const appKeys = await Promise.all(appKeyTexts.map((text) => publicKey(text, '--app-key')));
  if (logKeyText !== undefined) {
    if (appKeys.length === 0) throw new UsageError('--log-key needs --app-key too.');
    return { logKey: await publicKey(logKeyText, '--log-key'), appKeys };
  }
  const keys = await publicKeysOf(readKeys(environment));
  return { ...keys, appKeys: [...keys.appKeys, ...appKeys] };
}

async function publicKey(text: string, option: string): Promise<VerifyingKey> {
  const bytes = base64url.decode(text);
  if (bytes?.length !== 32) throw new UsageError(`${option} is 32 bytes in base64url.`);
  return (await curves()).importVerifyingKey(bytes);
}

function headsOf({ head = [] }: CommandOptions, logKey: VerifyingKey): Promise<LogHead[]> {
  return Promise.all(head.map((text) => signedHead(text, logKey, 'The head of --head')));
}

async function signedHead(text: string, logKey: VerifyingKey, whose: string): Promise<LogHead> {
  const head = decodeHead(base64url.decode(text) ?? new Uint8Array());
  if (head && (await verifyHead(logKey, head))) return head;
  throw new Error(`${whose} is not signed by this log key.`);
}
