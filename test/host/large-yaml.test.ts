import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { fillText } from '../agent/yaml-shapes.ts';
import { makeGenerator, ok } from '../fleet/fleet-builder.ts';
import { startTestHost, type TestHost } from '../harness/host.ts';

let host: TestHost;
beforeAll(async () => {
  host = await startTestHost();
});
afterAll(() => host.stop());

test('the host answers other requests while it reads a MiB of YAML that it refuses in the end', async () => {
  const generator = await makeGenerator(host);
  const stack = await ok(generator.api.post('/stacks', { name: 'large', generator_id: generator.id }));
  const yaml = fillText((index) => `key-${index}: value\n`, { tail: 'key-0: value\n' });
  let answered = 0;
  let reading = true;
  const asking = (async () => {
    while (reading) {
      await host.root.get('/healthz');
      answered += 1;
    }
  })();

  const answer = await generator.api.post(`/stacks/${stack.id}/deployment-objects`, yaml, { contentType: 'application/yaml' });
  reading = false;
  await asking;

  expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_deployment_object', details: { field: 'yaml_content' } } });
  // About 700; ten if the text is read on the event loop.
  expect(answered).toBeGreaterThan(40);
});
