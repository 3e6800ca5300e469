import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { api, body } from '../../api/client';
import { keys } from '../../api/keys';
import type { LlmSettings, NewLlmProvider, NewLlmSettings } from '../../api/types';

export const modelsQuery = queryOptions({ queryKey: keys.models, queryFn: () => body(api.GET('/api/settings/llm')) });

/** Keeps what the server answers, and has everything that shows the brain look again. */
function useKept<Given>(change: (given: Given) => Promise<LlmSettings>) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: change,
    onSuccess: (settings) => {
      client.setQueryData(keys.models, settings);
      void client.invalidateQueries({ queryKey: keys.status });
    },
  });
}

export const useSetModels = () => useKept((settings: NewLlmSettings) => body(api.PUT('/api/settings/llm', { body: settings })));
export const useResetModels = () => useKept(() => body(api.DELETE('/api/settings/llm')));

export function useTryModel() {
  return useMutation({ mutationFn: (provider: NewLlmProvider) => body(api.POST('/api/settings/llm/try', { body: provider })) });
}
