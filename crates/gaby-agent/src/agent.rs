//! The agent of one workspace: the one door for server and command line.

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use gaby_gate::approvals::{self, Approver};
use gaby_gate::rules::files;
use gaby_gate::{GateError, PolicyFile, Rules};
use gaby_model::{
    Action, ActionId, ActionState, Author, Clock, Depth, IncomingTicket, Message, MessageId,
    SystemClock, Ticket, TicketId, TicketState, Timestamp, ToolDefinition,
};
use gaby_store::queue::due;
use gaby_store::tickets::TicketFilter;
use gaby_store::{StoreError, Workspace};
use tracing::Instrument as _;

use crate::act;
use crate::ask::{self, Answer};
use crate::brain::builtin::Builtin;
use crate::brain::llm::{Llm, Models};
use crate::brain::{Brain, Want};
use crate::budget::{Budget, BudgetSettings};
use crate::error::AgentError;
use crate::hands::Hands;
use crate::intake::{self, INVESTIGATE, TakenIn};
use crate::investigate::{self, InvestigationResult, Run, recall};
use crate::playbook::{Playbooks, RoleMapping};
use crate::queue;
use crate::reach::{Library, Toolbox};
use crate::settings::AgentSettings;
use crate::tools::{self, AtHand};
use crate::trace;
use crate::turns::Turns;

/// No call of a connector takes longer than this.
const LONGEST_CALL_MILLIS: i64 = 5 * 60_000;

/// The agent of one workspace. Cheap to clone.
#[derive(Clone)]
pub struct Agent {
    inner: Arc<Inner>,
}

struct Inner {
    workspace: Workspace,
    toolbox: Arc<dyn Toolbox>,
    library: Arc<dyn Library>,
    playbooks: Playbooks,
    settings: RwLock<AgentSettings>,
    /// What the operator settles of the budget for all workspaces.
    budget: RwLock<BudgetSettings>,
    brain: RwLock<Arc<dyn Brain>>,
    /// Where language models are asked, if any are configured.
    models: RwLock<Option<Models>>,
    clock: Arc<dyn Clock>,
    /// The operator's policy files; the workspace's own come from the store.
    policies: RwLock<Vec<PolicyFile>>,
    /// The rules as they were last compiled.
    rules: Mutex<Option<Compiled>>,
    turns: Turns,
    /// Actions that were decided before this are not this process's own.
    opened_at: Timestamp,
}

/// Rules, and what they were compiled from.
struct Compiled {
    files: Vec<PolicyFile>,
    tools: AtHand,
    /// None when they do not hold together.
    rules: Option<Arc<Rules>>,
}

impl Agent {
    /// The agent of a workspace, with the builtin brain and the machine's clock.
    #[must_use]
    pub fn open(
        workspace: Workspace,
        toolbox: Arc<dyn Toolbox>,
        library: Arc<dyn Library>,
        playbooks: Playbooks,
        settings: AgentSettings,
    ) -> Self {
        let brain = Arc::new(Builtin::new(playbooks.clone(), settings.threshold));
        Self {
            inner: Arc::new(Inner {
                workspace,
                toolbox,
                library,
                playbooks,
                settings: RwLock::new(settings),
                budget: RwLock::default(),
                brain: RwLock::new(brain),
                models: RwLock::default(),
                clock: Arc::new(SystemClock),
                policies: RwLock::new(files::built_in()),
                rules: Mutex::new(None),
                turns: Turns::default(),
                opened_at: SystemClock.now(),
            }),
        }
    }

    /// Its workspace.
    #[must_use]
    pub fn workspace(&self) -> &Workspace {
        &self.inner.workspace
    }

    /// The playbooks that it follows.
    #[must_use]
    pub fn playbooks(&self) -> &Playbooks {
        &self.inner.playbooks
    }

    /// What the operator has settled.
    #[must_use]
    pub fn settings(&self) -> AgentSettings {
        self.inner
            .settings
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Takes on what the operator settles now; investigations that run go on by what held before.
    pub fn settle(&self, settings: AgentSettings) {
        *self
            .inner
            .settings
            .write()
            .unwrap_or_else(PoisonError::into_inner) = settings;
        self.think_as_settled();
    }

    /// Lets language models think from now on; the builtin brain where none answers.
    pub fn think_with_models(&self, models: Models) {
        *self
            .inner
            .models
            .write()
            .unwrap_or_else(PoisonError::into_inner) = Some(models);
        self.think_as_settled();
    }

    /// Has the builtin brain alone think from now on.
    pub fn think_without_models(&self) {
        *self
            .inner
            .models
            .write()
            .unwrap_or_else(PoisonError::into_inner) = None;
        self.think_as_settled();
    }

    /// Where language models are asked, if any are configured.
    #[must_use]
    pub fn models(&self) -> Option<Models> {
        self.inner
            .models
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn think_as_settled(&self) {
        let threshold = self.settings().threshold;
        let playbooks = self.inner.playbooks.clone();
        match self.models() {
            Some(models) => self.think_with(Arc::new(Llm::new(models, playbooks, threshold))),
            None => self.think_with(Arc::new(Builtin::new(playbooks, threshold))),
        }
    }

    /// Lets another brain think. What it wants is weighed like any other's.
    pub fn think_with(&self, brain: Arc<dyn Brain>) {
        *self
            .inner
            .brain
            .write()
            .unwrap_or_else(PoisonError::into_inner) = brain;
    }

    /// Takes on what the operator settles of the budget for all workspaces.
    pub fn take_budget(&self, budget: BudgetSettings) {
        *self
            .inner
            .budget
            .write()
            .unwrap_or_else(PoisonError::into_inner) = budget;
    }

    /// What one investigation may use, if it goes as far as usual.
    #[must_use]
    pub fn budget(&self) -> Budget {
        let settled = *self
            .inner
            .budget
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        settled.over(self.settings().budget)
    }

    /// Takes on the operator's policy files, over those that Gaby comes with; see
    /// [`files::read_folder`].
    pub fn take_policies(&self, own: Vec<PolicyFile>) {
        *self
            .inner
            .policies
            .write()
            .unwrap_or_else(PoisonError::into_inner) = files::layered([files::built_in(), own]);
    }

    /// The policy files that hold: Gaby's own, the operator's, the workspace's.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn policy_files(&self) -> Result<Vec<PolicyFile>, AgentError> {
        let base = self.base_policies();
        let stored = self.workspace().policy_files().await?;
        let own = stored
            .into_iter()
            .map(|(name, text)| PolicyFile::of_workspace(name, text))
            .collect();
        Ok(files::layered([base, own]))
    }

    /// The policy files that no workspace changes: Gaby's own and the operator's.
    pub(crate) fn base_policies(&self) -> Vec<PolicyFile> {
        self.inner
            .policies
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The rules that hold for these tools; compiled once for each version of both. None when they
    /// cannot be compiled: then nothing is permitted.
    pub(crate) async fn rules(
        &self,
        tools: &[ToolDefinition],
    ) -> Result<Option<Arc<Rules>>, AgentError> {
        let files = self.policy_files().await?;
        let mut compiled = self
            .inner
            .rules
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(compiled) = &*compiled
            && compiled.files == files
            && compiled.tools.are_still(tools)
        {
            return Ok(compiled.rules.clone());
        }
        let rules = match Rules::compile(&files, tools) {
            Ok(rules) => Some(Arc::new(rules)),
            Err(error) => {
                tracing::error!(workspace = self.workspace().slug(), %error, "nothing is permitted until the policies are mended");
                None
            }
        };
        *compiled = Some(Compiled {
            files,
            tools: AtHand::of(tools),
            rules: rules.clone(),
        });
        Ok(rules)
    }

    pub(crate) fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.inner.clock)
    }

    pub(crate) fn toolbox(&self) -> &Arc<dyn Toolbox> {
        &self.inner.toolbox
    }

    pub(crate) fn library(&self) -> &dyn Library {
        self.inner.library.as_ref()
    }

    pub(crate) fn brain(&self) -> Arc<dyn Brain> {
        Arc::clone(
            &self
                .inner
                .brain
                .read()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }

    /// Which connected tools each playbook would use.
    pub async fn role_mappings(&self) -> Vec<(String, Vec<RoleMapping>)> {
        let catalog = self.inner.toolbox.catalog().await;
        self.inner
            .playbooks
            .iter()
            .map(|playbook| {
                (
                    playbook.name.value.clone(),
                    tools::mapping(&catalog, playbook),
                )
            })
            .collect()
    }

    /// Takes a ticket in and stores the work on it. When it returns, the ticket is not lost.
    ///
    /// # Errors
    /// When the ticket is empty or too long, or cannot be stored.
    pub async fn intake(
        &self,
        incoming: IncomingTicket,
        source: &str,
    ) -> Result<TakenIn, AgentError> {
        let (taken, _) = intake::take_in(self, incoming, source, false).await?;
        Ok(taken)
    }

    /// Investigates a ticket that is stored, or goes on where its investigation was interrupted.
    ///
    /// # Errors
    /// When there is no such ticket, or the store or the brain fails.
    pub async fn investigate(
        &self,
        ticket: &TicketId,
        depth: Depth,
    ) -> Result<InvestigationResult, AgentError> {
        let _turn = self.inner.turns.take(ticket).await;
        investigate::investigate(self, ticket, depth).await
    }

    /// Does a queued job: investigates the ticket, unless somebody did so since the job was added.
    pub(crate) async fn investigate_if_needed(&self, ticket: &TicketId) -> Result<(), AgentError> {
        let _turn = self.inner.turns.take(ticket).await;
        if !self.is_settled(ticket).await? {
            investigate::investigate(self, ticket, Depth::Standard).await?;
        }
        Ok(())
    }

    /// Takes a ticket in and investigates it at once, as `gaby investigate FILE` does. If this
    /// process ends early, another goes on.
    ///
    /// # Errors
    /// As [`Self::intake`] and [`Self::investigate_here`], and when its source gave the ticket before
    /// and it needs no investigation.
    pub async fn investigate_incoming(
        &self,
        incoming: IncomingTicket,
        source: &str,
        depth: Depth,
    ) -> Result<InvestigationResult, AgentError> {
        let _working = queue::join(self.workspace().store()).await?;
        let (taken, job) = intake::take_in(self, incoming, source, true).await?;
        if let Some(job) = job {
            return queue::work_here(self, taken.id(), depth, job).await;
        }
        if self.is_settled(taken.id()).await? {
            let state = self.ticket(taken.id()).await?.state;
            let ticket = taken.id().clone();
            return Err(AgentError::TakenBefore { ticket, state });
        }
        self.investigate_here(taken.id(), depth).await
    }

    /// Investigates a ticket that is stored in this process and at once, and keeps all others off it
    /// meanwhile. If this process ends early, another goes on.
    ///
    /// # Errors
    /// As [`Self::investigate`], and when somebody else works on the ticket.
    pub async fn investigate_here(
        &self,
        ticket: &TicketId,
        depth: Depth,
    ) -> Result<InvestigationResult, AgentError> {
        let _working = queue::join(self.workspace().store()).await?;
        let known = self.ticket(ticket).await?;
        let mut tx = self.workspace().begin_unhurried().await?;
        let Some(job) = queue::take_up(&mut tx, &known, self.now()).await? else {
            return Err(AgentError::Busy(ticket.clone()));
        };
        tx.commit().await?;
        queue::work_here(self, ticket, depth, job).await
    }

    /// Answers a question from the knowledge base; no tool is called.
    ///
    /// # Errors
    /// When the question is empty or too long, or the knowledge base cannot be searched.
    pub async fn ask(&self, question: &str) -> Result<Answer, AgentError> {
        let (threshold, now) = (self.settings().threshold, self.now());
        match self.models() {
            Some(models) => {
                ask::answer_with(models, self.library(), question, threshold, now).await
            }
            None => ask::answer(self.library(), question, threshold, now).await,
        }
    }

    /// Adds what the requester wrote after the ticket was taken in, and has it looked at again.
    ///
    /// # Errors
    /// When there is no such ticket, or the store fails.
    pub async fn requester_wrote(&self, ticket: &TicketId, body: &str) -> Result<(), AgentError> {
        let known = self.ticket(ticket).await?;
        let now = self.now();
        let message = Message {
            id: MessageId::generate(),
            ticket: ticket.clone(),
            author: Author::Requester,
            body: body.to_owned(),
            citations: Vec::new(),
            created_at: now,
        };
        let mut tx = self.workspace().begin().await?;
        tx.tickets().add_message(&message).await?;
        tx.tickets()
            .set_state(ticket, TicketState::Reopened, now)
            .await?;
        let due = due(known.sla_deadline, known.priority, now);
        tx.enqueue(INVESTIGATE, ticket.as_str(), due, known.priority, now)
            .await?;
        tx.commit().await?;
        Ok(())
    }

    /// Says yes to an action: it is carried out once, if what was decided on still holds, and the
    /// requester is told.
    ///
    /// # Errors
    /// When it was decided already, has expired, has moved, or is another than was shown.
    pub async fn approve(
        &self,
        action: &ActionId,
        decision_hash: &str,
        approver: Approver<'_>,
    ) -> Result<Action, AgentError> {
        let (action, ticket) = self.action(action).await?;
        let hands = self.hands_for(&ticket, &action).await?;
        let outcome = act::approved(
            self.workspace(),
            &hands,
            &action,
            decision_hash,
            approver,
            self.now(),
        )
        .instrument(trace::later(&action))
        .await;
        let outcome = match outcome {
            Ok(action) => Ok(action),
            Err(error) => {
                // An action that is void or expired now must not leave its ticket waiting.
                self.settle_ticket(&action.id).await?;
                return Err(error);
            }
        };
        self.settle_ticket(&action.id).await?;
        outcome
    }

    /// Puts a call with other arguments in the place of one that waits. It is weighed anew, and must
    /// be approved anew.
    ///
    /// # Errors
    /// When it was decided already, is another than was shown, is what the editor asked for, or may
    /// not happen with these arguments.
    pub async fn edit(
        &self,
        action: &ActionId,
        decision_hash: &str,
        arguments: serde_json::Value,
        editor: Approver<'_>,
    ) -> Result<Action, AgentError> {
        let (action, ticket) = self.action(action).await?;
        let asker = ticket.requester.as_ref().and_then(|r| r.email.as_deref());
        if approvals::same_person(editor.email, asker) {
            return Err(GateError::OwnRequest { action: action.id }.into());
        }
        if decision_hash != action.decision_hash {
            return Err(GateError::OtherDecision { action: action.id }.into());
        }
        let mut hands = self.hands_for(&ticket, &action).await?;
        let life = i64::from(self.settings().approval_minutes) * 60_000;
        act::edited(
            self.workspace(),
            &mut hands,
            &action,
            arguments,
            editor,
            self.now(),
            life,
        )
        .await
    }

    /// Says no to an action; its ticket goes to a human.
    ///
    /// # Errors
    /// When it was decided already.
    pub async fn reject(
        &self,
        action: &ActionId,
        approver: Approver<'_>,
        reason: &str,
    ) -> Result<Action, AgentError> {
        let rejected =
            act::rejected(self.workspace(), action, approver, reason, self.now()).await?;
        self.settle_ticket(action).await?;
        Ok(rejected)
    }

    /// Takes back an action that was carried out. Gives the action that took it back.
    ///
    /// # Errors
    /// When it was not carried out, or nothing takes it back.
    pub async fn undo(
        &self,
        action: &ActionId,
        approver: Approver<'_>,
    ) -> Result<Action, AgentError> {
        let ticket = self.action(action).await?.1;
        // Of those who ask at once, the second finds what the first has done.
        let _turn = self.inner.turns.take(&ticket.id).await;
        let (action, ticket) = self.action(action).await?;
        if action.state != ActionState::Done {
            return Err(AgentError::WrongState {
                action: action.id,
                state: action.state,
            });
        }
        let mut hands = self.hands_for(&ticket, &action).await?;
        let now = self.now();
        act::undo(self.workspace(), &mut hands, &action, approver, now)
            .instrument(trace::action(&action.call.tool))
            .await
    }

    /// Takes up what a crash interrupted and what time has closed: writes on their way, proposals
    /// that nobody decided on, and tickets whose action is settled but not told.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn tidy(&self, after_restart: bool) -> Result<(), AgentError> {
        let now = self.now();
        approvals::expire_due(self.workspace(), now).await?;
        // Nobody but this process is there after a restart; otherwise what has been on its way for
        // longer than any call may take was left by a process that is gone.
        let left_before = match after_restart {
            true => self.inner.opened_at,
            false => now.plus_millis(-LONGEST_CALL_MILLIS),
        };
        for state in [ActionState::Intended, ActionState::Sent] {
            for action in self.workspace().actions().list(Some(state), 500).await? {
                if action
                    .decided_at
                    .is_none_or(|decided| decided < left_before)
                {
                    self.take_up(&action).await?;
                }
            }
        }
        let waiting = TicketFilter {
            state: Some(TicketState::WaitingForApproval),
            limit: 500,
            ..TicketFilter::default()
        };
        for ticket in self.workspace().tickets().list(&waiting).await? {
            let actions = self.workspace().actions().of_ticket(&ticket.id).await?;
            let wanted = actions.iter().rfind(|action| action.undoes.is_none());
            if let Some(action) = wanted {
                self.settle_ticket(&action.id).await?;
            }
        }
        Ok(())
    }

    async fn take_up(&self, action: &Action) -> Result<(), AgentError> {
        let _turn = self.inner.turns.take(&action.ticket).await;
        let ticket = self.ticket(&action.ticket).await?;
        let hands = self.hands_for(&ticket, action).await?;
        let span = trace::later(action);
        act::take_up(self.workspace(), &hands, &action.id, self.now())
            .instrument(span)
            .await?;
        Ok(())
    }

    /// Writes back what became of an action that its ticket waited for.
    async fn settle_ticket(&self, action: &ActionId) -> Result<(), AgentError> {
        let ticket = self.action(action).await?.1;
        let _turn = self.inner.turns.take(&ticket.id).await;
        let (action, ticket) = self.action(action).await?;
        let undecided = matches!(
            action.state,
            ActionState::Proposed
                | ActionState::Approved
                | ActionState::Intended
                | ActionState::Sent
        );
        // What takes something back is no answer to what the ticket asked for.
        let beside = undecided || action.undoes.is_some() || self.is_replaced(&action).await?;
        if beside || ticket.state != TicketState::WaitingForApproval {
            return Ok(());
        }
        let investigation = self
            .workspace()
            .investigations()
            .get(&action.investigation)
            .await?;
        let steps = self
            .workspace()
            .investigations()
            .steps(&investigation.id)
            .await?;
        let Some(Want::Conclude(conclusion)) = recall::recall(&steps)?.end else {
            return Ok(());
        };
        let Some(wish) = conclusion.action.clone() else {
            return Ok(());
        };
        let mut run = Run::with(self, ticket, investigation).await?;
        let ended = run.after_action(&conclusion, &wish, &action).await?;
        run.write_back(ended).await?;
        Ok(())
    }

    /// Whether another action took its place, which is then what its ticket waits for.
    async fn is_replaced(&self, action: &Action) -> Result<bool, AgentError> {
        let all = self.workspace().actions().of_ticket(&action.ticket).await?;
        Ok(all
            .iter()
            .any(|other| other.replaces.as_ref() == Some(&action.id)))
    }

    async fn hands_for(&self, ticket: &Ticket, action: &Action) -> Result<Hands, AgentError> {
        let mut hands = Hands::open(self, &ticket.source, ticket.requester.clone()).await?;
        let investigation = self
            .workspace()
            .investigations()
            .get(&action.investigation)
            .await?;
        hands.playbook = investigation
            .playbook
            .as_deref()
            .and_then(|name| self.playbooks().get(name))
            .map(|playbook| playbook.autonomy);
        // As it was when the action was weighed, whichever brain thinks now.
        hands.flows_are_checked = investigation.brain != crate::brain::builtin::NAME;
        hands.about.playbook = investigation.playbook.unwrap_or_default();
        hands.about.category = investigation.category.unwrap_or_default();
        Ok(hands)
    }

    pub(crate) async fn action(&self, id: &ActionId) -> Result<(Action, Ticket), AgentError> {
        let action = match self.workspace().actions().get(id).await {
            Err(StoreError::NotFound { .. }) => return Err(AgentError::NoAction(id.clone())),
            other => other?,
        };
        let ticket = self.ticket(&action.ticket).await?;
        Ok((action, ticket))
    }

    /// Whether a ticket needs no investigation: its last one ended after everything that the
    /// requester wrote.
    pub(crate) async fn is_settled(&self, id: &TicketId) -> Result<bool, AgentError> {
        let ticket = self.ticket(id).await?;
        let untouched = matches!(
            ticket.state,
            TicketState::New | TicketState::Investigating | TicketState::Reopened
        );
        let Some(last) = self.workspace().investigations().latest(id).await? else {
            return Ok(!untouched);
        };
        let messages = self.workspace().tickets().messages(id).await?;
        let unread = messages.iter().any(|message| {
            message.author == Author::Requester && message.created_at > last.started_at
        });
        Ok(!untouched && !unread)
    }

    pub(crate) async fn ticket(&self, id: &TicketId) -> Result<Ticket, AgentError> {
        match self.workspace().tickets().get(id).await {
            Err(StoreError::NotFound { .. }) => Err(AgentError::NoTicket(id.clone())),
            other => Ok(other?),
        }
    }
}
