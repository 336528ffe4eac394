import * as z from 'zod';

/** A JSON Schema object, as far as anybody looks into it. */
export type JsonSchema = { [keyword: string]: unknown };

const Converted = z.object({
  properties: z.object({ value: z.record(z.string(), z.unknown()) }),
  $defs: z.record(z.string(), z.record(z.string(), z.unknown())).optional(),
});

/**
 * Turns zod schemas into JSON Schemas of OpenAPI 3.1. Those with a name (`.meta({ id })`) become components, each once: two
 * different schemas of one name are an error.
 */
export function schemaCollector() {
  const components: Record<string, JsonSchema> = {};
  return {
    components,
    /** `input`: what a caller sends; `output`: what the server answers. */
    convert(schema: z.ZodType, io: 'input' | 'output'): JsonSchema {
      // Inside another schema a named one becomes a reference; alone it would be written out.
      const raw = z.toJSONSchema(z.object({ value: schema }), {
        io,
        unrepresentable: 'any',
        override: ({ jsonSchema }) => tidy(jsonSchema),
      });
      const { properties, $defs = {} } = Converted.parse(JSON.parse(JSON.stringify(raw).replaceAll('"#/$defs/', '"#/components/schemas/')));
      for (const [name, component] of Object.entries($defs)) add(components, name, component);
      return properties.value;
    },
  };
}

function add(components: Record<string, JsonSchema>, name: string, component: JsonSchema): void {
  const known = components[name];
  if (known && JSON.stringify(known) !== JSON.stringify(component)) throw new Error(`two different schemas are named ${name}`);
  components[name] = component;
}

const FORMATS_ENOUGH = new Set(['uuid', 'date-time']);

/** Leaves out what a reader doesn't need to be told, and what would forbid the server to add members later. */
function tidy(schema: JsonSchema): void {
  delete schema.id;
  if (schema.additionalProperties === false) delete schema.additionalProperties;
  if (typeof schema.format === 'string' && FORMATS_ENOUGH.has(schema.format)) delete schema.pattern;
  if (schema.type === 'integer') {
    schema.format ??= 'int64';
    if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum;
    if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum;
  }
}
