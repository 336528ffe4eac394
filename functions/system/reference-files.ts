import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';

/** The folder of the code's reference, as TypeDoc writes it. */
export const REFERENCE_FOLDER = new URL('../../docs/api/', import.meta.url);
const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};
/** A path segment that may be a file's name: it begins with no dot and contains no separator. */
const SEGMENT = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,200}$/;

export interface ReferenceFile {
  text: string;
  headers: Record<string, string>;
}

/** A file of the reference by its path segments; undefined if there is none. */
export async function referenceFile(segments: readonly string[]): Promise<ReferenceFile | undefined> {
  if (!segments.every((segment) => SEGMENT.test(segment))) return undefined;
  const name = segments.join('/');
  const contentType = CONTENT_TYPES[extname(name)];
  if (contentType === undefined) return undefined;
  const text = await readFile(new URL(name, REFERENCE_FOLDER), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  return {
    text,
    headers: { 'content-type': contentType, 'content-security-policy': policyFor(text) },
  };
}

/** Allows scripts from this server, and exactly the inline scripts that the page contains. */
function policyFor(page: string): string {
  const inline = [...page.matchAll(/<script>([\s\S]*?)<\/script>/g)].map(
    ([, script = '']) => `'sha256-${createHash('sha256').update(script).digest('base64')}'`,
  );
  const scripts = ["'self'", ...new Set(inline)].join(' ');
  return `default-src 'none'; script-src ${scripts}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;
}
