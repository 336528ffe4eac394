import { startHost } from '../infra/host/start-host.ts';
import { Config } from '../lib/platform/config.ts';
import { createLog } from '../lib/platform/log.ts';

/** The process that `startHostProcess` starts. It prints its address in one line of JSON and ends with its parent process. */
const [, , dataDir] = process.argv;
const host = await startHost({ config: Config.parse({}), log: createLog({ level: 'error' }), ...(dataDir && { dataDir }) });
process.stdout.write(`${JSON.stringify({ url: host.url, adminPak: host.adminPak, storePid: host.engines.dynamoDbPid })}\n`);

const end = () => void host.stop().then(() => process.exit(0));
process.once('SIGTERM', end);
process.stdin.once('end', end).resume();
