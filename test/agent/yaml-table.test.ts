import { expect, test } from '@jest/globals';
import { readComposedDocument } from '../../lib/fleet/protocol/yaml-composed.ts';
import { parseYamlDocuments } from '../../lib/fleet/protocol/yaml-documents.ts';
import { readPlainDocument } from '../../lib/fleet/protocol/yaml-plain.ts';
import { YAML_LIMITS, YamlError, type YamlSource } from '../../lib/fleet/protocol/yaml-rules.ts';
import { splitYamlDocuments } from '../../lib/fleet/protocol/yaml-sources.ts';
import { YAML_TABLE, type YamlRow } from './yaml-table.ts';

/** JSON with sorted keys, or the code of the refusal. */
function outcomeOf(read: () => unknown[]): string {
  try {
    return sortedJson(read());
  } catch (error) {
    if (error instanceof YamlError) return error.code;
    throw error;
  }
}

const sortedJson = (value: unknown): string =>
  JSON.stringify(value, (_key, item: unknown) =>
    typeof item === 'object' && item !== null && !Array.isArray(item) && !('rawJSON' in item)
      ? Object.fromEntries(Object.entries(item).sort(([one], [other]) => (one < other ? -1 : 1)))
      : item,
  );

const expected = ({ read, refused }: YamlRow): string | undefined => refused ?? read;

test('the table has more than 400 rows, and says of each what it means', () => {
  expect(YAML_TABLE.length).toBeGreaterThan(400);
  expect(YAML_TABLE.filter((row) => (row.read === undefined) === (row.refused === undefined))).toEqual([]);
});

test('every text of the table is read or refused as the table says', () => {
  const differences = YAML_TABLE.map((row) => ({
    text: row.text,
    expected: expected(row),
    found: outcomeOf(() => parseYamlDocuments(row.text).map(({ value }) => value)),
  }));
  expect(differences.filter((row) => row.found !== row.expected)).toEqual([]);
});

test('the thorough parser alone reads what both read together', () => {
  const thorough = (text: string) => {
    const budget = { ...YAML_LIMITS };
    return [...splitYamlDocuments(text)].map((source) => readComposedDocument(source, budget)).filter((value) => value !== null);
  };
  const differences = YAML_TABLE.map((row) => ({ text: row.text, expected: expected(row), found: outcomeOf(() => thorough(row.text)) }));
  expect(differences.filter((row) => row.found !== row.expected)).toEqual([]);
});

test('the fast parser takes no document that the table refuses, and most of the others', () => {
  const sourcesOf = (text: string): YamlSource[] => {
    try {
      return [...splitYamlDocuments(text)];
    } catch {
      return [];
    }
  };
  const taken = YAML_TABLE.filter((row) =>
    sourcesOf(row.text).some((source) => readPlainDocument(source, { ...YAML_LIMITS }) !== undefined),
  );
  expect(taken.filter((row) => row.refused !== undefined && !row.text.includes('---'))).toEqual([]);
  expect(taken.length).toBeGreaterThan(YAML_TABLE.length / 2);
});
