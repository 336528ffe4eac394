import { Buffer } from 'node:buffer';
import { readComposedDocument } from './yaml-composed.ts';
import { readPlainDocument } from './yaml-plain.ts';
import { YAML_LIMITS, type YamlBudget, type YamlDocument, YamlError } from './yaml-rules.ts';
import { splitYamlDocuments } from './yaml-sources.ts';

/**
 * Reads the documents of a text as kubectl reads them, one after another, without documents that have no content. Throws a YamlError if a
 * document is malformed, exceeds YAML_LIMITS, or would mean something else to kubectl.
 *
 * Two parsers give one meaning. A fast parser reads the plain style of nearly all manifests. All other documents, malformed ones included,
 * are read by a parser for all of YAML at a seventh of the speed (docs/decisions/0007-two-yaml-parsers.md).
 */
export function* readYamlDocuments(text: string): Generator<YamlDocument> {
  if (text.length > YAML_LIMITS.bytes || Buffer.byteLength(text) > YAML_LIMITS.bytes) {
    throw new YamlError('too_large', `must have at most ${YAML_LIMITS.bytes} bytes`);
  }
  const budget: YamlBudget = { ...YAML_LIMITS };
  for (const source of splitYamlDocuments(text)) {
    const value = readPlainDocument(source, budget) ?? readComposedDocument(source, budget);
    if (value !== null) yield { value, document: source.document, line: source.line };
  }
}

/** Returns all documents at once. */
export const parseYamlDocuments = (text: string): YamlDocument[] => [...readYamlDocuments(text)];
