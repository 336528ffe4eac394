import { resolve } from 'node:path';
import { isAdminKeyStored } from '../../lib/identity/bootstrap.ts';
import { lineWriter } from '../../lib/platform/line-writer.ts';
import { createLog, type Log } from '../../lib/platform/log.ts';
import { HELP, type HostConfig, loadHostConfig } from './host-config.ts';
import { rotateAdminPak } from './rotate-admin-pak.ts';
import { type Host, startHost } from './start-host.ts';
import { startTryOutAgent, type TryOutAgent } from './try-out-agent.ts';
import { firstKey, newKey, type WelcomeFacts, welcome } from './welcome.ts';

/**
 * A stop that takes longer than this is cut short. The next start continues the unfinished work. It is shorter than the 30 s that
 * Kubernetes waits, and longer than streams get to end.
 */
const STOP_MS = 28_000;

/** `npm start`: runs the command of the command line. The server keeps running after this resolves. Rejects with the reason of a failure. */
export async function runHost(): Promise<void> {
  const settings = loadHostConfig();
  if (settings.command === 'help') return void process.stdout.write(HELP);
  const lines = lineWriter(process.stderr);
  process.once('exit', lines.flush);
  const log = createLog({ level: settings.config.BROKKR_LOG_LEVEL, write: lines.write });
  const dataDir = settings.dataDir && resolve(settings.dataDir);
  if (settings.command === 'rotate-admin-pak') {
    const { config, configuredBySdk } = settings;
    const rotated = await rotateAdminPak({ config, configuredBySdk, log, ...(dataDir && { dataDir }) });
    process.stdout.write(newKey(rotated, config.BROKKR_ADMIN_PAK_HASH !== undefined));
    return;
  }
  await serve(settings, dataDir, log);
}

interface Running {
  host: Host;
  agent: TryOutAgent | undefined;
}

/** Serves until a signal comes. The signal may come during the start. */
async function serve(settings: HostConfig, dataDir: string | undefined, log: Log): Promise<void> {
  let unshown: string | undefined;
  const starting = start(settings, dataDir, log, (pak) => {
    unshown = pak;
  });
  stopOnSignal(starting, log);
  try {
    const { host, agent } = await starting;
    const adminKey = await adminKeyOf(host);
    unshown = undefined;
    process.stdout.write(welcome(host, { agent, dataDir, adminKey, everywhere: ['0.0.0.0', '::'].includes(settings.host) }));
  } catch (error) {
    // The data of this failed first start is kept, so its key must be shown.
    if (unshown !== undefined && dataDir !== undefined) process.stdout.write(`${firstKey(unshown).join('\n')}\n`);
    throw error;
  }
}

/** Finds out whether there is an admin key. Reads the store only if it must. */
async function adminKeyOf({ adminPak, config, app: { services } }: Host): Promise<WelcomeFacts['adminKey']> {
  if (config.BROKKR_ADMIN_PAK_HASH !== undefined) return 'configured';
  return adminPak !== undefined || (await isAdminKeyStored(services.database)) ? 'stored' : 'missing';
}

async function start(settings: HostConfig, dataDir: string | undefined, log: Log, onAdminPak: (pak: string) => void): Promise<Running> {
  const { host: address, port, trustedProxies, config, configuredBySdk, tryOut } = settings;
  const host = await startHost({
    config,
    configuredBySdk,
    host: address,
    port,
    trustedProxies,
    log,
    ...(dataDir && { dataDir }),
    onAdminPak,
    onEngineDeath(why) {
      log.error('engine_died', { why });
      process.exit(1);
    },
  });
  try {
    return { host, agent: tryOut && (await startTryOutAgent({ host, dataDir, kubeconfig: tryOut.kubeconfig })) };
  } catch (cause) {
    await host.stop();
    throw new Error(`the try-out agent cannot be started: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

/** Stops in good order on the first signal, and at once on the second. If the start fails meanwhile, its reason ends the process. */
function stopOnSignal(starting: Promise<Running>, log: Log): void {
  let asked = false;
  const stop = async () => {
    const { host, agent } = await starting;
    await Promise.resolve(agent?.stop()).catch((error: unknown) => log.error('stop_failed', { error }));
    await host.stop();
    process.exit(0);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (asked) process.exit(130);
      asked = true;
      log.info('stopping', { signal });
      setTimeout(() => process.exit(0), STOP_MS).unref();
      stop().catch(() => {});
    });
  }
}
