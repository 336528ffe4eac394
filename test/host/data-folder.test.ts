import { execFileSync } from 'node:child_process';
import { chmod, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { openDataFolder } from '../../infra/host/engines/data-folder.ts';
import { runHost, temporaryDataDir } from '../harness/host-process.ts';
import { mayMount, mountSmallFileSystem } from './small-file-system.ts';

/** If the data folder can't be used, the start ends with one sentence that names the folder, the reason and what to do. */
const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});
async function newFolder(): Promise<string> {
  const folder = await temporaryDataDir();
  folders.push(folder);
  return folder;
}
async function startIn(dataDir: string) {
  const { code, stdout, stderr } = await runHost({ dataDir, args: ['--port', '0'] });
  return { code, stdout, stderr };
}
const refusal = (folder: string, reason: string) => ({
  code: 1,
  stdout: '',
  stderr: `brokkr: the data folder ${folder} can't be used: ${reason}, or give another BROKKR_DATA_DIR\n`,
});

const withMounts = (await mayMount()) ? test : test.skip;
if (withMounts === test.skip) console.info('skipped: full and read-only disks (this user may not mount)');

withMounts('a start on a full disk fails and says that the disk is full', async () => {
  const disk = await mountSmallFileSystem('256k');
  const outcome = await startIn(join(disk.folder, 'data'));
  await disk.unmount();
  expect(outcome).toEqual(refusal(join(disk.folder, 'data'), 'its disk is full: make room there'));
});

withMounts.each(['a new folder', 'a folder with data'])('a start with %s on a read-only file system fails and says so', async (kind) => {
  const disk = await mountSmallFileSystem('4m');
  const dataDir = join(disk.folder, 'data');
  if (kind === 'a folder with data') (await openDataFolder(dataDir)).release();
  await disk.remountReadOnly();
  const outcome = await startIn(dataDir);
  await disk.unmount();
  expect(outcome).toEqual(refusal(dataDir, 'it is on a read-only file system: mount that for writing'));
});

const NOBODY = 65_534;
const asRoot = process.getuid?.() === 0 ? test : test.skip;
asRoot("a start with another user's data folder fails and names the user that may not write", async () => {
  const folder = await newFolder();
  await chmod(folder, 0o755);
  const open = `import('${new URL('../../infra/host/engines/data-folder.ts', import.meta.url)}').then((m) => m.openDataFolder(process.argv[1])).catch((e) => console.log(e.message))`;
  const output = execFileSync(process.execPath, ['-e', open, folder], { uid: NOBODY, encoding: 'utf8' });
  expect(output).toBe(
    `the data folder ${folder} can't be used: user ${NOBODY} may not write ${folder}/host.probe: make that user its owner, or give another BROKKR_DATA_DIR\n`,
  );
});

test('a start with a file in place of the data folder fails and names the file', async () => {
  const file = join(await newFolder(), 'data');
  await writeFile(file, '');
  expect(await startIn(file)).toEqual(refusal(file, `there is a file in its place (${file}): remove it`));
});

test.each(['host.lock', 'dynamodb.sqlite', 'queues/fauxqs.db'])(
  'a start with a pipe in place of %s fails instead of waiting',
  async (name) => {
    const folder = await newFolder();
    await mkdir(join(folder, 'queues'));
    const pipe = join(folder, name);
    execFileSync('mkfifo', [pipe]);
    expect(await startIn(folder)).toEqual(refusal(folder, `${pipe} is not a regular file: remove it`));
  },
);

test('a start with a data folder that never answers fails after a bounded wait', async () => {
  const folder = await newFolder();
  const hanging = openDataFolder(folder, { limitMs: 10, check: () => new Promise(() => {}) });
  await expect(hanging).rejects.toThrow(
    `the data folder ${folder} can't be used: it has not answered within 0.01 s: see that its drive is there, or give another BROKKR_DATA_DIR`,
  );
});

test('a data folder serves one host at a time, and is free again after its host releases it', async () => {
  const folder = await newFolder();
  const first = await openDataFolder(folder);
  await expect(openDataFolder(folder)).rejects.toThrow(`another host is using ${folder}`);
  first.release();
  (await openDataFolder(folder)).release();
});

test('the check of a data folder leaves nothing in it but the lock', async () => {
  const folder = await newFolder();
  (await openDataFolder(folder)).release();
  expect(await readdir(folder)).toEqual(['host.lock']);
});
