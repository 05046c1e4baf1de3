use crate::{Limits, RecordsError};
use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};

/// Elements of one document beyond which it is not a clinical document.
const MOST_NODES: usize = 1_000_000;
/// Attributes of one document.
const MOST_ATTRIBUTES: usize = 3_000_000;

/// A position in a [`Tree`].
pub(crate) type NodeId = usize;

/// An XML document as a flat list of elements. Prefixes are dropped: a C-CDA has one vocabulary that matters, and fragments leave prefixes undeclared.
pub(crate) struct Tree {
    nodes: Vec<Node>,
    attributes: usize,
}

struct Node {
    name: String,
    attributes: Vec<(String, String)>,
    children: Vec<Child>,
}

/// What an element contains, in order.
pub(crate) enum Child {
    /// An element.
    Element(NodeId),
    /// Text, entities resolved.
    Text(String),
}

impl Tree {
    /// Reads a document. Several top elements are allowed (documentation fragments); a document type declaration and entities other than XML's own are refused.
    pub(crate) fn parse(text: &str, limits: &Limits) -> Result<Tree, RecordsError> {
        let mut reader = quick_xml::Reader::from_str(text);
        reader.config_mut().check_end_names = true;
        let mut tree = Tree {
            nodes: vec![Node {
                name: String::new(),
                attributes: Vec::new(),
                children: Vec::new(),
            }],
            attributes: 0,
        };
        let mut open: Vec<NodeId> = vec![0];
        loop {
            let at = reader.buffer_position();
            let event = reader.read_event().map_err(|_| RecordsError::Xml {
                at: reader.error_position(),
            })?;
            match event {
                Event::Start(start) => {
                    let id = tree.add(&open, &start, at)?;
                    open.push(id);
                    if open.len() > limits.depth {
                        return Err(RecordsError::TooDeep {
                            limit: limits.depth,
                        });
                    }
                }
                Event::Empty(start) => {
                    tree.add(&open, &start, at)?;
                }
                Event::End(_) => {
                    open.pop();
                }
                Event::Text(piece) => tree.text(&open, &piece.xml10_content()),
                Event::CData(piece) => tree.text(&open, &piece.xml10_content()),
                Event::GeneralRef(reference) => {
                    let name = reference.xml10_content();
                    let resolved = match reference.resolve_char_ref() {
                        Ok(Some(c)) => c.to_string(),
                        Ok(None) => quick_xml::escape::resolve_predefined_entity(&name)
                            .ok_or(RecordsError::XmlEntity { at })?
                            .to_owned(),
                        Err(_) => return Err(RecordsError::XmlEntity { at }),
                    };
                    tree.text(&open, &resolved);
                }
                Event::DocType(_) => return Err(RecordsError::XmlDoctype),
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) => (),
                Event::Eof => break,
            }
        }
        if open.len() != 1 || tree.nodes.len() < 2 {
            return Err(RecordsError::Xml {
                at: text.len() as u64,
            });
        }
        Ok(tree)
    }

    fn add(
        &mut self,
        open: &[NodeId],
        start: &BytesStart<'_>,
        at: u64,
    ) -> Result<NodeId, RecordsError> {
        if self.nodes.len() >= MOST_NODES {
            return Err(RecordsError::TooMany { limit: MOST_NODES });
        }
        let mut attributes = Vec::new();
        // Checking for repeated names would take quadratic time on a hostile element.
        for attribute in start.attributes().with_checks(false) {
            let attribute = attribute.map_err(|_| RecordsError::Xml { at })?;
            self.attributes += 1;
            if self.attributes > MOST_ATTRIBUTES {
                return Err(RecordsError::TooMany {
                    limit: MOST_ATTRIBUTES,
                });
            }
            let value = attribute
                .normalized_value(XmlVersion::Implicit1_0)
                .map_err(|_| RecordsError::XmlEntity { at })?;
            attributes.push((local(attribute.key.as_ref()).to_owned(), value.into_owned()));
        }
        let id = self.nodes.len();
        self.nodes.push(Node {
            name: local(start.name().as_ref()).to_owned(),
            attributes,
            children: Vec::new(),
        });
        if let Some(parent) = open.last().and_then(|parent| self.nodes.get_mut(*parent)) {
            parent.children.push(Child::Element(id));
        }
        Ok(id)
    }

    fn text(&mut self, open: &[NodeId], piece: &str) {
        let Some(node) = open.last().and_then(|id| self.nodes.get_mut(*id)) else {
            return;
        };
        match node.children.last_mut() {
            Some(Child::Text(text)) => text.push_str(piece),
            _ => node.children.push(Child::Text(piece.to_owned())),
        }
    }

    /// The top of the document; its elements are the root elements.
    pub(crate) const TOP: NodeId = 0;

    /// Local name of an element.
    pub(crate) fn name(&self, id: NodeId) -> &str {
        self.nodes.get(id).map_or("", |node| &node.name)
    }

    /// An attribute by local name; empty ones count as absent.
    pub(crate) fn attribute(&self, id: NodeId, name: &str) -> Option<&str> {
        let value = self
            .nodes
            .get(id)?
            .attributes
            .iter()
            .find(|(key, _)| key == name)?
            .1
            .trim();
        (!value.is_empty()).then_some(value)
    }

    /// What an element contains.
    pub(crate) fn children(&self, id: NodeId) -> &[Child] {
        self.nodes.get(id).map_or(&[], |node| &node.children)
    }

    /// Child elements of a name.
    pub(crate) fn all<'t>(
        &'t self,
        id: NodeId,
        name: &'t str,
    ) -> impl Iterator<Item = NodeId> + 't {
        self.children(id)
            .iter()
            .filter_map(move |child| match child {
                Child::Element(id) if self.name(*id) == name => Some(*id),
                _ => None,
            })
    }

    /// The first element along a path of names.
    pub(crate) fn find(&self, id: NodeId, path: &[&str]) -> Option<NodeId> {
        path.iter()
            .try_fold(id, |id, name| self.all(id, name).next())
    }

    /// The text directly within an element, trimmed and with single spaces.
    pub(crate) fn own_text(&self, id: NodeId) -> String {
        let mut out = String::new();
        for child in self.children(id) {
            if let Child::Text(text) = child {
                out.push_str(text);
            }
        }
        out.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Every element in document order.
    pub(crate) fn ids(&self) -> impl Iterator<Item = NodeId> + use<> {
        1..self.nodes.len()
    }
}

fn local(name: &str) -> &str {
    name.rsplit(':').next().unwrap_or(name)
}
