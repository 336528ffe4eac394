import { Buffer } from 'node:buffer';
import { readComposedDocument } from './yaml-composed.ts';
import { readPlainDocument } from './yaml-plain.ts';
import { YAML_LIMITS, type YamlBudget, type YamlDocument, YamlError } from './yaml-rules.ts';
import { splitYamlDocuments } from './yaml-sources.ts';

/**
 * Reads the documents of a text as kubectl reads them, one after another; those without content are left out.
 * Throws a YamlError for what is malformed, or larger, deeper or more entangled than YAML_LIMITS, or would mean something else to kubectl.
 *
 * Two parsers, one meaning: a fast one for the plain style that nearly all manifests are written in, and for everything it does not
 * take, the errors included, one that reads all of YAML at a seventh of the speed (docs/decisions/0007).
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

/** All of them at once. */
export const parseYamlDocuments = (text: string): YamlDocument[] => [...readYamlDocuments(text)];
