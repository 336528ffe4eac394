import type { ContentPart } from '../../../wire/chat.ts';
import { requestError } from '../../../wire/request-error.ts';
import { isObject } from '../../../wire/wire-values.ts';
import type { GeminiPart } from '../gemini-wire.ts';

const TYPES: Readonly<Record<string, string>> = {
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  png: 'image/png',
  webp: 'image/webp',
  gif: 'image/gif',
  heic: 'image/heic',
  heif: 'image/heif',
  pdf: 'application/pdf',
  txt: 'text/plain',
  md: 'text/markdown',
  csv: 'text/csv',
  html: 'text/html',
  json: 'application/json',
  wav: 'audio/wav',
  mp3: 'audio/mp3',
  aac: 'audio/aac',
  ogg: 'audio/ogg',
  flac: 'audio/flac',
  mp4: 'video/mp4',
  mov: 'video/mov',
  webm: 'video/webm',
  mpeg: 'video/mpeg',
};

/** The parts of a message's content. An empty text makes no part, because Google refuses it. */
export function geminiParts(content: string | ContentPart[] | null | undefined, place: string): GeminiPart[] {
  if (content === null || content === undefined) return [];
  if (typeof content === 'string') return content === '' ? [] : [{ text: content }];
  if (!Array.isArray(content)) throw requestError(`${place}.content`, `'${place}.content' must be a text or a list of parts.`);
  return content.flatMap((part, index) => geminiPart(part, `${place}.content.[${index}]`));
}

function geminiPart(part: ContentPart, place: string): GeminiPart[] {
  if (!isObject(part)) throw requestError(place, `'${place}' must be an object.`);
  switch (part.type) {
    case 'text':
    case 'refusal': {
      const text = part[part.type];
      if (typeof text !== 'string') throw requestError(`${place}.${part.type}`, `'${place}.${part.type}' must be a text.`);
      return text === '' ? [] : [{ text }];
    }
    case 'image_url':
    case 'video_url':
    case 'file_url':
      return [linked(part[part.type], `${place}.${part.type}`, part.type === 'image_url' ? 'image/jpeg' : undefined)];
    case 'input_audio':
      return [audio(part.input_audio, `${place}.input_audio`)];
    case 'file':
      return [file(part.file, `${place}.file`)];
    default:
      throw requestError(`${place}.type`, `Google's models take no content of the type '${String(part.type).slice(0, 60)}'.`);
  }
}

function linked(value: unknown, place: string, fallback: string | undefined): GeminiPart {
  const url = typeof value === 'string' ? value : isObject(value) ? value.url : undefined;
  if (typeof url !== 'string' || url === '') throw requestError(`${place}.url`, `'${place}.url' must be a link.`);
  return linkPart(url, `${place}.url`, fallback);
}

function linkPart(url: string, place: string, fallback: string | undefined): GeminiPart {
  if (url.startsWith('data:')) return inline(url, place);
  if (!/^(https?|gs):\/\//.test(url)) throw requestError(place, `'${place}' must begin with https://, gs:// or data:.`);
  const mimeType = typeOf(url) ?? fallback;
  return { fileData: { ...(mimeType !== undefined && { mimeType }), fileUri: url } };
}

function inline(url: string, place: string, named?: string): GeminiPart {
  const comma = url.indexOf(',');
  const head = comma < 0 ? '' : url.slice('data:'.length, comma);
  const [mimeType = '', ...options] = head.split(';');
  if (comma < 0) throw requestError(place, `'${place}' is not a data URL.`);
  const encoded = url.slice(comma + 1);
  const data = options.includes('base64') ? encoded : Buffer.from(decodeText(encoded, place)).toString('base64');
  const generic = mimeType === '' || mimeType === 'application/octet-stream';
  return { inlineData: { mimeType: (generic ? named : undefined) ?? (mimeType || 'application/octet-stream'), data } };
}

function decodeText(encoded: string, place: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch {
    throw requestError(place, `'${place}' is not a data URL.`);
  }
}

function audio(value: unknown, place: string): GeminiPart {
  if (!isObject(value) || typeof value.data !== 'string') throw requestError(`${place}.data`, `'${place}.data' must be audio in base64.`);
  const format = typeof value.format === 'string' ? value.format : 'wav';
  return { inlineData: { mimeType: TYPES[format] ?? `audio/${format}`, data: value.data } };
}

function file(value: unknown, place: string): GeminiPart {
  if (!isObject(value)) throw requestError(place, `'${place}' must be an object.`);
  const { file_data, file_id, file_url, filename } = value;
  const named = typeof filename === 'string' ? typeOf(filename) : undefined;
  if (typeof file_data === 'string') {
    if (file_data.startsWith('data:')) return inline(file_data, `${place}.file_data`, named);
    return { inlineData: { mimeType: named ?? 'application/pdf', data: file_data } };
  }
  const link = typeof file_url === 'string' ? file_url : file_id;
  // Files that were uploaded to Google have links as their ids. Files that were uploaded to other providers are unknown there.
  if (typeof link === 'string' && /^(https|gs):\/\//.test(link)) return linkPart(link, `${place}.file_id`, named);
  throw requestError(
    `${place}.file_id`,
    "Google's models take a file as 'file_data' or as a link to a file; they can't read files that another provider stores.",
  );
}

const typeOf = (name: string): string | undefined => {
  const [, extension] = /\.([a-z0-9]{2,4})(?:[?#].*)?$/i.exec(name) ?? [];
  return extension === undefined ? undefined : TYPES[extension.toLowerCase()];
};
