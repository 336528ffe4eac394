import { writeFile } from 'node:fs/promises';
import { httpGroups } from '../../functions/registry.ts';
import { apiDocument } from '../../functions/system/api-document.ts';

/** `npm run openapi`: writes the OpenAPI document that the server serves, from the endpoints. */
const path = new URL('../../docs/openapi/openapi.json', import.meta.url);
const document = apiDocument(httpGroups.flatMap(({ endpoints }) => endpoints));
await writeFile(path, `${JSON.stringify(document, null, 2)}\n`);
console.log(`${Object.keys(document.paths).length} paths, ${Object.keys(document.components.schemas).length} schemas`);
