import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { boundedCalls, createStateFiles } from '../../agent/state/state-files.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'brokkr-state-'));
});
afterAll(() => rm(folder, { recursive: true }));

test('a folder that hangs fails its call within the limit, and the next ones at once until it answers', async () => {
  const bounded = boundedCalls('/mnt/away', 20);
  const drive = Promise.withResolvers<string>();
  const silence = 'the state folder /mnt/away has not answered within 0.02 s: see that its drive is there';
  await expect(bounded(() => drive.promise)).rejects.toThrow(silence);
  let reached = false;
  const next = bounded(async () => {
    reached = true;
  });
  await expect(next).rejects.toThrow(silence);
  expect(reached).toBe(false);

  drive.resolve('late');
  await drive.promise;
  expect(await bounded(async () => 'there again')).toBe('there again');
});

test('a pipe in the place of a file is refused by name instead of being waited for', async () => {
  execFileSync('mkfifo', [join(folder, 'state.json')]);
  await expect(createStateFiles(folder).read('state.json')).rejects.toThrow(`${folder}/state.json is not a regular file: remove it`);
});

test('a text that was written is read, listed and removed', async () => {
  const files = createStateFiles(folder);
  await files.write('bodies/one', 'text');
  expect([await files.read('bodies/one'), await files.list('bodies'), await files.read('bodies/two')]).toEqual([
    'text',
    ['one'],
    undefined,
  ]);
  await files.remove('bodies/one');
  expect(await files.list('bodies')).toEqual([]);
});
