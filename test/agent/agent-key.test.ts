import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { ControlPlane } from '../../agent/control-plane/control-plane.ts';
import { createHttpControlPlane } from '../../agent/control-plane/http-control-plane.ts';
import { configMap, createAgentWorld, yaml } from './agent-world.ts';
import { type ScriptedControlPlane, startScriptedControlPlane } from './scripted-control-plane.ts';
import { createVirtualClock, type VirtualClock } from './virtual-clock.ts';

let server: ScriptedControlPlane;
let controlPlane: ControlPlane;
let clock: VirtualClock;
let file: string | undefined;
let reads: number;

beforeEach(async () => {
  server = await startScriptedControlPlane();
  clock = createVirtualClock();
  file = server.pak;
  reads = 0;
  const readPak = () => {
    reads += 1;
    if (file === undefined) throw new Error('no such file');
    return file;
  };
  controlPlane = createHttpControlPlane({ baseUrl: server.url, pak: server.pak, readPak, clock });
});
afterEach(async () => {
  await controlPlane.close();
  await server.close();
});

test('a key that was replaced, and its file too, is used from then on without anybody noticing', async () => {
  file = server.pak = 'brokkr_BRscript_rotated';
  const world = createAgentWorld({ plane: server.model });
  server.model.post(server.model.newStack(), yaml(configMap('a')));
  const answers = await Promise.all([controlPlane.whoAmI(), controlPlane.whoAmI(), controlPlane.whoAmI()]);
  expect(answers).toHaveLength(3);
  const agent = world.create({}, { controlPlane });
  await agent.start();
  await agent.settled();
  expect(world.objects()).toEqual(['ConfigMap/shop/a']);
  expect(reads).toBe(1);
  await agent.stop();
});

test('a refused key is looked for again every few seconds, until its file is there and another', async () => {
  server.pak = 'brokkr_BRscript_rotated';
  for (const found of ['brokkr_BRscript_old', undefined]) {
    file = found;
    for (let call = 0; call < 5; call += 1) await expect(controlPlane.whoAmI()).rejects.toMatchObject({ status: 401 });
    await clock.advance(5_000);
  }
  expect(reads).toBe(2);
  file = server.pak;
  await controlPlane.whoAmI();
  expect(reads).toBe(3);
});

test('an agent whose polls fail does not call itself connected, and does again with the first that succeeds', async () => {
  const world = createAgentWorld();
  const agent = await world.start();
  const connected = async () => (await agent.health()).broker.connected;
  expect(await connected()).toBe(true);
  world.plane.intercept = (call) => {
    if (call === 'assignments') throw new Error('401');
  };
  await world.cycle(agent);
  expect(await connected()).toBe(false);
  world.plane.intercept = undefined;
  await world.cycle(agent);
  expect(await connected()).toBe(true);
});
