/** What is at which address, and who may see it. */
import { MutationCache, QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { useState } from 'react';
import { BrowserRouter, Navigate, Route, Routes } from 'react-router';
import { ApiFailure, isSignedOut } from './api/failure';
import { keys } from './api/keys';
import { ApprovalsScreen } from './features/approvals/approvals-screen';
import { LinkScreen } from './features/approvals/link-screen';
import { AuditScreen } from './features/audit/audit-screen';
import { ConnectorsScreen } from './features/connectors/connectors-screen';
import { Frame } from './features/frame/frame';
import { NotFound } from './features/frame/not-found';
import { InboxScreen } from './features/inbox/inbox-screen';
import { KnowledgeScreen } from './features/knowledge/knowledge-screen';
import { ModelsScreen } from './features/models/models-screen';
import { PlaybooksScreen } from './features/playbooks/playbooks-screen';
import { PoliciesScreen } from './features/policies/policies-screen';
import { SetupScreen } from './features/session/setup-screen';
import { SignInScreen } from './features/session/sign-in-screen';
import { SignedIn } from './features/session/signed-in';
import { SettingsScreen } from './features/settings/settings-screen';
import { StatusScreen } from './features/status/status-screen';

const RETRIES = 2;

export function newQueryClient(): QueryClient {
  // A session that ended is noticed at whatever is asked next; the guard then shows the sign-in.
  const onError = (error: unknown, key?: readonly unknown[]) => {
    if (isSignedOut(error) && key?.[0] !== keys.session[0]) void client.invalidateQueries({ queryKey: keys.session });
  };
  const client: QueryClient = new QueryClient({
    queryCache: new QueryCache({ onError: (error, query) => onError(error, query.queryKey) }),
    mutationCache: new MutationCache({ onError: (error) => onError(error) }),
    defaultOptions: {
      queries: {
        staleTime: 10_000,
        // What the server refused it will refuse again; only what broke on the way is tried again.
        retry: (count, error) => !(error instanceof ApiFailure && error.status < 500) && count < RETRIES,
      },
    },
  });
  return client;
}

export function App() {
  const [client] = useState(newQueryClient);
  return (
    <QueryClientProvider client={client}>
      <BrowserRouter>
        <Screens />
      </BrowserRouter>
    </QueryClientProvider>
  );
}

export function Screens() {
  return (
    <Routes>
      <Route path="/sign-in" element={<SignInScreen />} />
      <Route path="/setup" element={<SetupScreen />} />
      <Route element={<SignedIn />}>
        <Route element={<Frame />}>
          <Route index element={<Navigate to="/inbox" replace />} />
          <Route path="/inbox/:ticket?" element={<InboxScreen />} />
          <Route path="/approvals/:action?" element={<ApprovalsScreen />} />
          <Route path="/link" element={<LinkScreen />} />
          <Route path="/knowledge" element={<KnowledgeScreen />} />
          <Route path="/connectors" element={<ConnectorsScreen />} />
          <Route path="/playbooks" element={<PlaybooksScreen />} />
          <Route path="/policies" element={<PoliciesScreen />} />
          <Route path="/audit" element={<AuditScreen />} />
          <Route path="/status" element={<StatusScreen />} />
          <Route path="/settings" element={<SettingsScreen />} />
          <Route path="/settings/models" element={<ModelsScreen />} />
          <Route path="*" element={<NotFound />} />
        </Route>
      </Route>
    </Routes>
  );
}
