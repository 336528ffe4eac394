import { Buffer } from 'node:buffer';
import { composedDocuments } from './yaml-composed.ts';
import { plainDocuments } from './yaml-plain.ts';
import { YAML_LIMITS, type YamlDocument, YamlError } from './yaml-rules.ts';

/**
 * Reads a stream of YAML 1.2 documents (core schema) into plain values; empty documents are left out.
 * Throws a YamlError for what is malformed, or larger, deeper or more entangled than YAML_LIMITS, custom tags and duplicate keys.
 *
 * Two parsers, one meaning: a fast one for the plain style that nearly all manifests are written in, and for everything it does not
 * take, the errors included, one that reads all of YAML at a seventh of the speed (docs/decisions/0007).
 */
export function parseYamlDocuments(text: string): YamlDocument[] {
  if (text.length > YAML_LIMITS.bytes || Buffer.byteLength(text) > YAML_LIMITS.bytes) {
    throw new YamlError('too_large', `must have at most ${YAML_LIMITS.bytes} bytes`);
  }
  return plainDocuments(text) ?? composedDocuments(text);
}
