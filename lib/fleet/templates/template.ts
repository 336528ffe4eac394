import * as z from 'zod';

const time = z.iso.datetime();

export const TemplateEngine = z.enum(['tera', 'mustache']);
export type TemplateEngine = z.infer<typeof TemplateEngine>;

/** One version of a template. Versions of one name and owner are rows of their own. */
export const StackTemplate = z
  .object({
    id: z.guid(),
    created_at: time,
    updated_at: time,
    deleted_at: time.nullable(),
    generator_id: z.guid().nullable().describe('null for a template of the system, which every generator may use'),
    name: z.string(),
    description: z.string().nullable(),
    version: z.int(),
    engine: TemplateEngine,
    template_content: z.string(),
    parameters_schema: z.string().describe('A JSON Schema, as a text'),
    checksum: z.string().describe('SHA-256 of template_content, lower-case hex'),
  })
  .meta({ id: 'StackTemplate' });
export type StackTemplate = z.infer<typeof StackTemplate>;

/** A template without its texts. */
export const TemplateHead = StackTemplate.omit({ template_content: true, parameters_schema: true }).extend({
  content_chunks: z.int(),
  schema_chunks: z.int(),
});
export type TemplateHead = z.infer<typeof TemplateHead>;

export const TemplateLabel = z
  .object({ id: z.guid(), template_id: z.guid(), label: z.string(), created_at: time })
  .meta({ id: 'TemplateLabel' });
export type TemplateLabel = z.infer<typeof TemplateLabel>;
export const TemplateAnnotation = z
  .object({ id: z.guid(), template_id: z.guid(), key: z.string(), value: z.string(), created_at: time })
  .meta({ id: 'TemplateAnnotation' });
export type TemplateAnnotation = z.infer<typeof TemplateAnnotation>;
