import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { findBinaries } from '../kubernetes/kubernetes-binaries.ts';
import { describeKubernetes } from '../kubernetes/test-cluster.ts';
import { YAML_TABLE } from './yaml-table.ts';

const DOCUMENT = /^unable to decode ".*row-(\d+)\.yaml": Object 'Kind' is missing in '(.*)'$/;
const REFUSAL = /^(?:unable to decode|error: error parsing|error parsing).*row-(\d+)\.yaml"?: /;

describeKubernetes('the real kubectl', () => {
  let folder: string;
  /** kubectl's documents of each row; undefined if it refuses one of them. */
  const readings = new Map<number, unknown[] | undefined>();

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'brokkr-yaml-'));
    await Promise.all(YAML_TABLE.map(({ text }, row) => writeFile(join(folder, `row-${row}.yaml`), text)));
    for (const line of (await readByKubectl(folder)).split('\n')) {
      const [, row, json] = DOCUMENT.exec(line) ?? [];
      const [, refused] = json === undefined ? (REFUSAL.exec(line) ?? []) : [];
      if (refused !== undefined) readings.set(Number(refused), undefined);
      else if (json !== undefined && (!readings.has(Number(row)) || readings.get(Number(row)))) {
        readings.set(Number(row), [...(readings.get(Number(row)) ?? []), JSON.parse(json)]);
      }
    }
  });
  afterAll(() => rm(folder, { recursive: true }));

  const readingOf = (row: number): unknown[] | undefined => (readings.has(row) ? readings.get(row) : []);

  test('reads every text of the table that we take as we read it', () => {
    const differences = YAML_TABLE.flatMap(({ text, read, alone, random }, row) => {
      if (read === undefined || alone || random) return [];
      const kubectl = readingOf(row);
      return sorted(kubectl) === sorted(JSON.parse(read)) ? [] : [{ text, read, kubectl }];
    });
    expect(differences).toEqual([]);
  });

  test('does not read what we take alone as another object', () => {
    const taken = YAML_TABLE.flatMap(({ text, alone }, row) => (alone && readingOf(row) ? [{ text, kubectl: readingOf(row) }] : []));
    // The name of the key begins with the byte order mark, which no object has.
    expect(taken).toEqual([{ text: '---\n\ufeffb: 2\n', kubectl: [{ '\ufeffb': 2 }] }]);
  });
});

/** It can't make objects of the rows, and says of each document what it read. */
function readByKubectl(folder: string): Promise<string> {
  const kubectl = findBinaries()?.kubectl ?? 'kubectl';
  const args = ['label', '--local', '--filename', folder, '--output', 'json', 'row=one'];
  return new Promise((resolve) => {
    execFile(kubectl, args, { timeout: 60_000, maxBuffer: 64 * 1024 * 1024 }, (_error, _stdout, stderr) => resolve(stderr));
  });
}

const sorted = (value: unknown): string =>
  JSON.stringify(value, (_key, item: unknown) =>
    typeof item === 'object' && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([one], [other]) => (one < other ? -1 : 1)))
      : item,
  );
