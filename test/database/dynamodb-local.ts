/** `npm run test:dynamodb-local`: the store's contract tests on the official DynamoDB Local. More arguments go to the test runner. */
import { fetchDynamoDbLocal, missingForDynamoDbLocal } from './dynamodb-local-files.ts';
import { freePort, runTests, startEngineProcess } from './engine-process.ts';

const SERVER = 'software.amazon.dynamodb.services.local.main.ServerRunner';

const missing = await missingForDynamoDbLocal();
if (missing !== undefined) {
  console.error(missing);
  process.exit(1);
}
const folder = await fetchDynamoDbLocal(console.log);
const port = await freePort();
const url = `http://127.0.0.1:${port}`;
const engine = await startEngineProcess({
  name: 'dynamodb-local',
  command: 'java',
  args: ['-Djava.library.path=.', '-cp', '*', SERVER, '-inMemory', '-disableTelemetry', '-port', String(port)],
  cwd: folder,
  url,
  withinMs: 60_000,
});
console.log(`DynamoDB Local answers on ${url}`);
try {
  const [, , ...more] = process.argv;
  process.exitCode = await runTests(['--testPathPatterns', 'test/database', ...more], { DYNAMODB_ENDPOINT: url });
} finally {
  await engine.stop();
}
