import type { ContentPart, JsonObject } from '../../wire/chat.ts';
import { isJsonObject } from '../../wire/json-schema-refs.ts';
import { requestError } from '../../wire/request-error.ts';

const DATA_URL = /^data:([^;,]*)((?:;[^;,]*)*),(.*)$/s;
const BLANK = /^\s*$/;
export const isBlank = (text: string): boolean => BLANK.test(text);

/** Anthropic's blocks for the content of a message. Blank text is left out, because Anthropic refuses it. */
export function contentBlocks(content: unknown, param: string): JsonObject[] {
  if (content === null || content === undefined) return [];
  if (typeof content === 'string') return isBlank(content) ? [] : [{ type: 'text', text: content }];
  if (!Array.isArray(content)) throw requestError(param, `'${param}' must be a text or a list of parts.`);
  return content.flatMap((part, index) => {
    const at = `${param}.[${index}]`;
    if (typeof part === 'string') return isBlank(part) ? [] : [{ type: 'text', text: part }];
    if (!isJsonObject(part) || typeof part.type !== 'string') throw requestError(at, `'${at}' must be an object with a type.`);
    const block = partBlock({ ...part, type: part.type }, at);
    if (block === undefined) return [];
    return [isJsonObject(part.cache_control) ? { ...block, cache_control: part.cache_control } : block];
  });
}

function partBlock(part: ContentPart, param: string): JsonObject | undefined {
  switch (part.type) {
    case 'text':
    case 'input_text':
    case 'output_text':
      return textBlock(part.text, `${param}.text`);
    case 'refusal':
      return textBlock(part.refusal, `${param}.refusal`);
    case 'image_url':
      return imageBlock(isJsonObject(part.image_url) ? part.image_url.url : part.image_url, `${param}.image_url.url`);
    case 'file':
      return documentBlock(isJsonObject(part.file) ? part.file : {}, `${param}.file`);
    default:
      throw requestError(param, `Anthropic takes no content of the type '${part.type}'.`, 'unsupported_value');
  }
}

function textBlock(text: unknown, param: string): JsonObject | undefined {
  if (typeof text !== 'string') throw requestError(param, `'${param}' must be a text.`);
  return isBlank(text) ? undefined : { type: 'text', text };
}

function imageBlock(url: unknown, param: string): JsonObject {
  const data = typeof url === 'string' ? readDataUrl(url) : undefined;
  if (data) {
    if (!data.base64) throw requestError(param, `The data URL in '${param}' must be in base64.`);
    return { type: 'image', source: { type: 'base64', media_type: data.mediaType || 'image/png', data: data.content } };
  }
  if (typeof url !== 'string' || !/^https?:\/\//i.test(url)) throw requestError(param, `'${param}' must be a data URL or an http URL.`);
  return { type: 'image', source: { type: 'url', url } };
}

/** A file becomes a document: a PDF or a text inline, an address, or a file that Anthropic has stored. */
function documentBlock(file: JsonObject, param: string): JsonObject {
  const title = typeof file.filename === 'string' && !isBlank(file.filename) ? { title: file.filename } : {};
  if (typeof file.file_id === 'string') return { type: 'document', source: { type: 'file', file_id: file.file_id }, ...title };
  const { file_data, file_url } = file;
  if (typeof file_url === 'string') return { type: 'document', source: { type: 'url', url: file_url }, ...title };
  if (typeof file_data !== 'string') throw requestError(param, `'${param}' needs file_data, file_url or file_id.`);
  const data = readDataUrl(file_data);
  if (!data && /^https?:\/\//i.test(file_data)) return { type: 'document', source: { type: 'url', url: file_data }, ...title };
  // Clients also send the base64 alone; OpenAI takes only PDFs this way.
  if (!data) return { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: file_data }, ...title };
  if (data.mediaType.startsWith('image/') && data.base64) {
    return { type: 'image', source: { type: 'base64', media_type: data.mediaType, data: data.content } };
  }
  if (data.mediaType.startsWith('text/') || data.mediaType === 'application/json') {
    return { type: 'document', source: { type: 'text', media_type: 'text/plain', data: plainText(data) }, ...title };
  }
  return { type: 'document', source: { type: 'base64', media_type: data.mediaType || 'application/pdf', data: data.content }, ...title };
}

interface DataUrl {
  mediaType: string;
  base64: boolean;
  content: string;
}

function readDataUrl(url: string): DataUrl | undefined {
  const [, mediaType = '', options = '', content = ''] = DATA_URL.exec(url) ?? [];
  if (!url.startsWith('data:')) return undefined;
  return { mediaType: mediaType.toLowerCase(), base64: options.toLowerCase().includes(';base64'), content };
}

function plainText({ base64, content }: DataUrl): string {
  if (base64) return Buffer.from(content, 'base64').toString('utf8');
  try {
    return decodeURIComponent(content);
  } catch {
    return content;
  }
}
