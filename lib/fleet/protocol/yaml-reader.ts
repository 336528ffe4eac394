import { isLargeInteger, rawInteger, type YamlDocument, YamlError } from './yaml-rules.ts';
import { askYamlThread, hasYamlThread, type YamlAnswer } from './yaml-thread.ts';

/** Texts up to this size are read at once: the worst of them takes 15 ms of the event loop, an ordinary one 2 ms. */
const SMALL_CHARACTERS = 16 * 1024;

/** The parsers are loaded with the first text, since most cold starts of a function come from requests that read no YAML. */
const loadParsers = () => import('./yaml-documents.ts');

/** Counts the documents of a text. Rejects with the YamlError that readYamlDocuments throws, and keeps no value. */
export async function countYamlDocuments(text: string): Promise<number> {
  if (!isSmall(text)) return taken(await askYamlThread({ text, wantsValues: false })).count;
  const { readYamlDocuments } = await loadParsers();
  let count = 0;
  for (const _document of readYamlDocuments(text)) count += 1;
  return count;
}

/** Returns the documents of a text. Rejects with the YamlError that readYamlDocuments throws. */
export async function loadYamlDocuments(text: string): Promise<YamlDocument[]> {
  if (isSmall(text)) return (await loadParsers()).parseYamlDocuments(text);
  const { documents } = taken(await askYamlThread({ text, wantsValues: true }));
  return documents.map(({ json, document, line }) => ({ value: fromJson(json), document, line }));
}

const isSmall = (text: string): boolean => text.length <= SMALL_CHARACTERS || !hasYamlThread;

function taken(answer: YamlAnswer): Extract<YamlAnswer, { count: number }> {
  if (!('refused' in answer)) return answer;
  const { code, reason, document, line } = answer.refused;
  throw new YamlError(code, reason, { document, line });
}

/** Parses JSON and keeps integers that no JavaScript number holds. */
function fromJson(json: string): unknown {
  if (!/\d{16}/.test(json)) return JSON.parse(json);
  return parseWithSource(json, (_key, value, { source }) => (isLargeInteger(source) ? rawInteger(source) : value));
}

type Reviver = (key: string, value: unknown, context: { source?: string }) => unknown;

/** TypeScript's types don't have this yet, as with rawInteger. */
const parseWithSource = JSON.parse as (text: string, reviver: Reviver) => unknown;
