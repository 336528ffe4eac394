import { expect, test } from '@jest/globals';
import { parseYamlDocuments } from '../../lib/fleet/protocol/yaml-documents.ts';
import { countYamlDocuments, loadYamlDocuments } from '../../lib/fleet/protocol/yaml-reader.ts';
import { fillText } from './yaml-shapes.ts';

const large = (text: string): string => `${text}---\n# ${'x'.repeat(32 * 1024)}\n`;

test.each([
  ['plain manifests', 'kind: A\nmetadata: {name: yes}\n---\n\nb: [1.5, 0x10, "1", ~]\n'],
  [
    'integers that no JavaScript number holds',
    'a: [9007199254740993, -9223372036854775808, "9007199254740993", 1e20]\n9007199254740993: x\n',
  ],
  ['a key that means something to JavaScript', '__proto__: {polluted: true}\n'],
  ['anchors and merge keys', 'a: &x {b: 1}\nc: {<<: *x}\n'],
])('a large text means what a small one means: %s', async (_what, text) => {
  const small = parseYamlDocuments(text);
  const read = await loadYamlDocuments(large(text));
  expect(JSON.stringify(read)).toBe(JSON.stringify(small));
  expect(await countYamlDocuments(large(text))).toBe(small.length);
});

test('a large text is refused for the same reason as a small one, with its position', async () => {
  const text = 'a: 1\n---\nb: 1\nb: 2\n';
  const refusal = { name: 'YamlError', code: 'duplicate_key', message: 'document 2, line 4: key "b" is there twice', document: 2, line: 4 };
  await expect(countYamlDocuments(text)).rejects.toMatchObject(refusal);
  await expect(countYamlDocuments(large(text))).rejects.toMatchObject(refusal);
  await expect(loadYamlDocuments(large(text))).rejects.toMatchObject(refusal);
});

test('the event loop goes on turning while a large text is read', async () => {
  let turns = 0;
  let reading = true;
  const turn = (): void => {
    turns += 1;
    if (reading) setImmediate(turn);
  };
  setImmediate(turn);
  await countYamlDocuments(fillText((index) => `key-${index}: value\n`));
  reading = false;
  // A parser on the event loop would allow two.
  expect(turns).toBeGreaterThan(100);
});

test('a limited number of large texts waits for the thread, and the others are refused until later', async () => {
  const text = fillText('#\n', { head: 'a: b\n' });
  const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => countYamlDocuments(text)));
  expect(outcomes.map(({ status }) => status)).toEqual([...Array(9).fill('fulfilled'), ...Array(11).fill('rejected')]);
  expect(outcomes.at(-1)).toMatchObject({ reason: { name: 'YamlReaderBusy', message: expect.stringContaining('try again') } });
  await expect(countYamlDocuments(large('a: 1\n'))).resolves.toBe(1);
});
