import * as z from 'zod';

/** A JSON Schema. Its keywords are not parsed further. */
export type JsonSchema = { [keyword: string]: unknown };

/** Marks a parameter that its schema does not require, but the operation does, with an error code of its own. */
export const REQUIRED = 'x-required';
export const required = <S extends z.ZodType>(schema: S) => schema.optional().meta({ [REQUIRED]: true });

const Converted = z.object({
  properties: z.object({ value: z.record(z.string(), z.unknown()) }),
  $defs: z.record(z.string(), z.record(z.string(), z.unknown())).optional(),
});

/**
 * Turns zod schemas into JSON Schemas of OpenAPI 3.1. A schema with a name (`.meta({ id })`) becomes a component. Two different schemas
 * of one name are an error.
 */
export function schemaCollector() {
  const components: Record<string, JsonSchema> = {};
  return {
    components,
    /** Makes a schema a component, and returns the reference to it. */
    name(name: string, schema: JsonSchema): JsonSchema {
      add(components, name, schema);
      return { $ref: `#/components/schemas/${name}` };
    },
    /** `input` is the form that a caller sends, `output` the form that the server answers with. */
    convert(schema: z.ZodType, io: 'input' | 'output'): JsonSchema {
      // A named schema becomes a reference only inside another schema.
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

/** Drops keywords that a reader doesn't need, and the one that would forbid the server to add members later. */
function tidy(schema: JsonSchema): void {
  delete schema.id;
  if (schema.additionalProperties === false) delete schema.additionalProperties;
  if (typeof schema.format === 'string' && FORMATS_ENOUGH.has(schema.format)) delete schema.pattern;
  if (schema.type === 'integer') {
    schema.format ??= 'int64';
  }
}
