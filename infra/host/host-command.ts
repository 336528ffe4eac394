import { resolve } from 'node:path';
import { createLog } from '../../lib/platform/log.ts';
import { HELP, type HostConfig, loadHostConfig } from './host-config.ts';
import { rotateAdminPak } from './rotate-admin-pak.ts';
import { type Host, startHost } from './start-host.ts';
import { welcome } from './welcome.ts';

/** A stop that takes longer is cut short: what is not finished by then is picked up at the next start. */
const STOP_MS = 9_000;

/** `npm start`: does what the command line asks for; serving goes on after this has resolved. Rejects with what is wrong. */
export async function runHost(): Promise<void> {
  const settings = loadHostConfig();
  if (settings.command === 'help') return void process.stdout.write(HELP);
  const log = createLog({ level: settings.config.BROKKR_LOG_LEVEL });
  const dataDir = settings.dataDir && resolve(settings.dataDir);
  if (settings.command === 'rotate-admin-pak') {
    const pak = await rotateAdminPak({ config: settings.config, log, ...(dataDir && { dataDir }) });
    process.stdout.write(`The new admin key, shown this once; the one before it opens nothing any more:\n\n  ${pak}\n\n`);
    return;
  }
  await serve(settings, dataDir, log);
}

async function serve(settings: HostConfig, dataDir: string | undefined, log: ReturnType<typeof createLog>): Promise<void> {
  const { host: address, port, trustedProxies, config } = settings;
  const host = await startHost({
    config,
    host: address,
    port,
    trustedProxies,
    log,
    ...(dataDir && { dataDir }),
    onEngineDeath(why) {
      log.error('engine_died', { why });
      process.exit(1);
    },
  });
  process.stdout.write(welcome(host, { dataDir, adminPakBroughtAlong: config.BROKKR_ADMIN_PAK_HASH !== undefined }));
  stopOnSignal(host);
}

/** The first signal stops in good order, the second at once. */
function stopOnSignal(host: Host): void {
  let asked = false;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (asked) process.exit(130);
      asked = true;
      host.app.log.info('stopping', { signal });
      setTimeout(() => process.exit(0), STOP_MS).unref();
      void host.stop().then(() => process.exit(0));
    });
  }
}
