/** The mock API within the development server: `npm run dev:mock`. Nothing of it is in a build. */
import type { Connect, Plugin } from 'vite';
import { newMock } from './mock-api.ts';

const CONTENT_SECURITY_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'";

export function mockApi(): Plugin {
  return {
    name: 'gaby-mock-api',
    configureServer: (server) => answer(server.middlewares),
    // The built console on made-up data, under the headers of the real server.
    configurePreviewServer(server) {
      server.middlewares.use((_request, response, next) => {
        response.setHeader('content-security-policy', CONTENT_SECURITY_POLICY);
        next();
      });
      answer(server.middlewares);
    },
  };
}

function answer(middlewares: Connect.Server) {
  const mock = newMock();
  middlewares.use('/api', (request, response) => {
    if (request.url?.startsWith('/events')) {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(': keep-alive\n\n');
      return;
    }
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString();
      const answer = mock(request.method ?? 'GET', new URL(`/api${request.url ?? ''}`, 'http://mock'), text ? JSON.parse(text) : undefined);
      response.writeHead(answer.status, { 'content-type': 'application/json' });
      response.end(answer.json === undefined ? '' : JSON.stringify(answer.json));
    });
  });
}
